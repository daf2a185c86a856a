"""Pickles that run something though no name in them says so: what they call is a function of nobody
that anybody knows, which a scan alone calls unknown. A method is planted by a state, a class is
changed through a function that returns what it is given, attributes are walked.

`maker` is one of pickles.py, which writes values in the opcodes that chance gives. MODULES are what
these pickles need to run: the unknown project, and in place of torch's own functions such as do the
same with what they are given here.
"""

FUNCTION = ("own.things", "assemble")
MODULES = {
    "own/things.py": "def assemble(*arguments):\n"
                     "    open('marker', 'w').close()\n"
                     "class Thing:\n"
                     "    class Inner:\n"
                     "        go = staticmethod(assemble)\n"
                     "    go = staticmethod(assemble)\n",
    "torch/jit/_pickle.py": "def restore_type_tag(value, type_str):\n"
                            "    return value\n"
                            "def build_intlist(data):\n"
                            "    return data\n"
                            "build_tensorlist = build_doublelist = build_intlist\n"
                            "build_boollist = build_intlist\n",
    "torch/storage.py": "import pickle\n"
                        "def _load_from_bytes(data):\n"
                        "    return pickle.loads(data, encoding='latin1')\n",
}


def _builtins(maker):
    return "__builtin__" if maker.protocol < 3 else "builtins"


def _copyreg(maker):
    return "copy_reg" if maker.protocol < 3 else "copyreg"


def _thing(maker):
    """A new object of the unknown class, in one of the ways that there are."""
    of = ("own.things", "Thing")
    made = [
        lambda: maker.call(*of),
        lambda: maker.call(_copyreg(maker), "_reconstructor", maker.name(*of),
                           maker.name(_builtins(maker), "object"), b"N"),
        lambda: maker.call(_copyreg(maker), "__newobj__", maker.name(*of)),
    ]
    if maker.protocol >= 2:
        made.append(lambda: maker.name(*of) + maker.tuple() + b"\x81")
    return maker.chance.choice(made)()


def _list(maker, *items):
    """A list."""
    appended = b"".join(item + b"a" for item in items)
    return maker.pick((0, b"(" + b"".join(items) + b"l"), (0, b"(l" + appended),
                      (1, b"](" + b"".join(items) + b"e"))


def _mapping(maker, key, value):
    """Something that has the one item: a dict, or a call that makes one."""
    pair = maker.chance.choice([lambda: maker.tuple(maker.text(key), value),
                                lambda: _list(maker, maker.text(key), value)])()
    pairs = maker.chance.choice([lambda: _list(maker, pair), lambda: maker.tuple(pair)])()
    plain = maker.state(maker.text(key), value)
    of = maker.chance.choice([("collections", "OrderedDict"), (_builtins(maker), "dict")])
    return maker.chance.choice([
        lambda: plain,
        lambda: maker.call(*of, pairs),
        lambda: maker.call(*of, plain),
        lambda: maker.call(*of) + maker.text(key) + value + b"s",
        lambda: maker.call(*of, maker.call(*of, pairs)),
        lambda: maker.call("collections", "Counter", plain),
        lambda: maker.call("collections", "defaultdict", b"N", pairs),
    ])()


def _state(maker, key, value):
    """A state that gives an object, or a class, an attribute."""
    mapping = _mapping(maker, key, value)
    return maker.chance.choice([
        lambda: maker.tuple(b"N", mapping),
        lambda: maker.call(_builtins(maker), "tuple", _list(maker, b"N", mapping)),
        lambda: maker.tuple(b"N", maker.state(maker.text("__dict__"), mapping)),
    ] + [lambda: mapping] * 3)()


def _by_state(maker):
    """A method that is planted in an object, and then called by an opcode."""
    method = maker.chance.choice(["__setstate__", "__setstate__", "append", "extend"])
    built = _thing(maker) + _state(maker, method, maker.name(*FUNCTION)) + b"b"
    if method == "__setstate__":
        return maker.remember(built) + maker.text("x") + b"b"
    return built + maker.pick((0, maker.text("x") + b"a"), (1, b"(" + maker.text("x") + b"e"))


def _by_identity(maker):
    """A class that is changed through a function that returns it, so that it looks like an object
    which the pickle made."""
    name = maker.chance.choice(["restore_type_tag", "build_intlist", "build_tensorlist"])
    more = (maker.text("List[int]"),) if name == "restore_type_tag" else ()
    dressed = maker.call("torch.jit._pickle", name, maker.name("own.things", "Thing"), *more)
    method = maker.state(maker.text("__setstate__"), maker.name(*FUNCTION))
    changed = dressed + maker.tuple(b"N", method) + b"b0"
    return changed + _thing(maker) + maker.text("x") + b"b"


def _by_attribute(maker):
    """A method that getattr finds."""
    get = (_builtins(maker), "getattr")
    inner = maker.call(*get, maker.name("own.things", "Thing"), maker.text("Inner"))
    return maker.chance.choice([
        lambda: maker.reduce(maker.call(*get, inner, maker.text("go")), maker.text("x")),
        lambda: maker.reduce(maker.call(*get, _thing(maker), maker.text("go")), maker.number(),
                             maker.number()),
    ])()


def _by_bytes(maker):
    """A harmful pickle in the bytes that the one around it makes of text, and has loaded."""
    inner = b"cposix\nsystem\n(S'touch marker'\ntR."
    text = maker.pick((0, b"V" + inner.replace(b"\n", b"\\u000a") + b"\n"),
                      (1, b"X" + bytes([len(inner), 0, 0, 0]) + inner))
    how = maker.chance.choice([("_codecs", "encode"), (_builtins(maker), "bytes"),
                               (_builtins(maker), "bytearray")])
    made = maker.call(*how, text, maker.text(maker.chance.choice(["latin1", "latin-1"])))
    return maker.call("torch.storage", "_load_from_bytes", made)


def planted(maker):
    """One of them."""
    return maker.chance.choice([_by_state, _by_state, _by_state, _by_identity, _by_attribute,
                                _by_bytes])(maker)


def harmless(maker):
    """The same function, merely called: a scan cannot know what it does."""
    return maker.call(*FUNCTION)
