"""Files in which a single rule stands between a scan and a miss: what they name passes as harmless
or as unknown, and only how it is put together is not.

make_hostile.py writes them. But for the names of Python 2 and what is hidden in bytes, none of them
names anything that is on a list of harmful names; so each says which rule must find it.
"""
import struct

import craft
from craft import (APPEND, BUILD, EMPTY_DICT, EMPTY_TUPLE, NEWOBJ, NONE, SETITEM, STOP, Member,
                   call, dict_of, integer, list_of, name, named, pickle, proto, text, tuple_of)

CHANGED, ARGUMENTS = "dangerous | changed-global", "dangerous | odd-arguments"
THING, FUNCTION = name("some_project", "Thing"), name("some_project", "assemble")
OBJECT, GETATTR = name("builtins", "object"), name("builtins", "getattr")
LOAD_BYTES = name("torch.storage", "_load_from_bytes")
LATER = text("cposix\ngetcwd\n)R.")  # a pickle, as the text of another one


def built(state):
    """An object of an unknown class with a state."""
    return THING + EMPTY_TUPLE + NEWOBJ + state + BUILD


def pairs(value):
    """[('__setstate__', value)], as mappings are made of."""
    return list_of(tuple_of(text("__setstate__"), value))


def states():
    """States that plant a method, though they are no dict of texts."""
    ordered, plain = name("collections", "OrderedDict"), name("builtins", "dict")
    scalar = call(name("numpy.core.multiarray", "scalar"),
                  call(name("numpy", "dtype"), text("<U12")),
                  b"U\x30" + "__setstate__".encode("utf-32-le"))
    return [
        ("state_of_pairs.pkl", CHANGED, "a __setstate__ in the pairs that an OrderedDict is "
         "made of", pickle(built(call(ordered, pairs(FUNCTION))))),
        ("state_set_later.pkl", CHANGED, "one that is set in an OrderedDict after its call",
         pickle(built(call(ordered) + text("__setstate__") + FUNCTION + SETITEM))),
        ("state_of_dict.pkl", CHANGED, "one in the dict that builtins.dict copies, as the slots",
         pickle(built(tuple_of(NONE, call(plain, named(__setstate__=FUNCTION)))))),
        ("state_of_tuple.pkl", CHANGED, "one in the slots of a state that a call of tuple makes",
         pickle(built(call(name("builtins", "tuple"),
                           list_of(NONE, named(__setstate__=FUNCTION)))))),
        ("state_of_appended.pkl", CHANGED, "the same by a deque that is filled later",
         pickle(built(call(name("builtins", "tuple"),
                           call(name("collections", "deque")) + NONE + APPEND +
                           named(__setstate__=FUNCTION) + APPEND)))),
        ("state_of_maximum.pkl", CHANGED, "the same by a class of torch's that is a tuple",
         pickle(built(call(name("torch.return_types", "max"),
                           tuple_of(NONE, named(__setstate__=FUNCTION)))))),
        ("state_in_dict.pkl", CHANGED, "one below the key `__dict__`",
         pickle(built(named(__dict__=call(ordered, pairs(FUNCTION)))))),
        ("state_computed.pkl", CHANGED, "a state of which only running it would tell",
         pickle(built(call(plain, call(FUNCTION))))),
        ("state_numpy_key.pkl", CHANGED, "the name of an attribute as a text of NumPy's",
         pickle(built(dict_of((scalar, FUNCTION))))),
        ("state_str_key.pkl", CHANGED, "the name of an attribute by a call of str",
         pickle(built(dict_of((call(name("builtins", "str"), text("__setstate__")), FUNCTION))))),
        ("state_append.pkl", CHANGED, "a method `append` by the pairs of a call, and its use",
         pickle(built(call(ordered, list_of(tuple_of(text("append"), FUNCTION)))) + text("x") +
                APPEND)),
        ("state_loader.pkl", CHANGED, "torch.storage._load_from_bytes as the method of an object, "
         "which nobody checks the arguments of", pickle(built(named(as_subclass=LOAD_BYTES)))),
        ("state_honest.pkl", "unknown", "a state by the pairs of an OrderedDict that plants "
         "nothing", pickle(built(call(ordered, list_of(tuple_of(text("epoch"), integer(3))))))),
    ]


def makers():
    """Functions that return what they are given, or make objects of what they are given."""
    mapped = name("numpy", "memmap")
    dress = name("torch.jit._pickle", "restore_type_tag")
    return [
        ("dressed_class.pkl", ARGUMENTS, "a class, handed through a function of TorchScript's so "
         "that it looks like a result, is changed",
         pickle(call(dress, THING, text("x")) + named(forward=FUNCTION) + BUILD)),
        ("dressed_object.pkl", ARGUMENTS, "an object, handed through another one",
         pickle(call(name("torch.jit._pickle", "build_intlist"), built(EMPTY_DICT)))),
        ("dressed_twice.pkl", ARGUMENTS, "the same by _rebuild_from_type_v2",
         pickle(call(name("torch._tensor", "_rebuild_from_type_v2"), dress, THING,
                     tuple_of(list_of(integer(1))), NONE))),
        ("newobj_memmap.pkl", ARGUMENTS, "copyreg.__newobj__ of numpy.memmap, which opens a file",
         pickle(call(name("copyreg", "__newobj__"), mapped, text("ckconv_was_here")))),
        ("newobj_ex_memmap.pkl", ARGUMENTS, "the same by copyreg.__newobj_ex__",
         pickle(call(name("copyreg", "__newobj_ex__"), mapped, tuple_of(text("ckconv_was_here")),
                     EMPTY_DICT))),
        ("base_memmap.pkl", ARGUMENTS, "numpy.memmap as the base that copyreg._reconstructor "
         "calls", pickle(call(name("copyreg", "_reconstructor"), THING, mapped,
                              text("ckconv_was_here")))),
        ("getattr_chain.pkl", ARGUMENTS, "getattr of what getattr returned",
         pickle(call(GETATTR, call(GETATTR, THING, text("a")), text("b")))),
        ("getattr_harmful.pkl", ARGUMENTS, "getattr of a name that runs things",
         pickle(call(GETATTR, call(THING), text("system")))),
        ("getattr_called.pkl", "dangerous | call-of-value", "a method by getattr, called with two "
         "arguments", pickle(call(call(GETATTR, THING, text("go")), integer(1), integer(2)))),
    ]


def old_names():
    """Names of Python 2, which Python 3 maps."""
    harm = "dangerous | dangerous-import"
    return [
        ("old_%s.pkl" % word, harm, "`%s` by the name of its module in Python 2" % word,
         pickle(name("__builtin__", word))) for word in ("vars", "setattr", "reduce", "apply")
    ] + [
        ("old_exceptions.pkl", harm, "a function in the module of Python 2's errors",
         pickle(name("exceptions", "eval"))),
        ("old_imap.pkl", harm, "map by its name in Python 2's itertools",
         pickle(name("itertools", "imap"))),
        ("old_newobj.pkl", "dangerous | dangerous-call", "a function that copy_reg.__newobj__ "
         "calls as if it were a class",
         pickle(call(name("copy_reg", "__newobj__"), name("colorsys", "rgb_to_hls")))),
    ]


def scripts():
    """Names and code of TorchScript, where they are and where they are not."""
    module = name("__torch__", "Net") + EMPTY_TUPLE + NEWOBJ + EMPTY_DICT + BUILD
    code = b"def __setstate__(self, s):\n  _0 = torch.save(s, \"x\")\n"

    def archive(path, constants="archive/constants.pkl"):
        return craft.archive([Member("archive/data.pkl", pickle(module)),
                              Member("archive/version", b"3\n"), Member(path, code),
                              Member(constants, pickle(EMPTY_TUPLE))])
    return [
        ("torch_name.pkl", "unknown | unknown-global", "a name below __torch__ where there is no "
         "TorchScript: a module of that name would be loaded", pickle(module)),
        ("torch_name_called.pkl", ARGUMENTS, "the same, given a command",
         pickle(call(name("__torch__.net", "Net"), text("touch ckconv_was_here")))),
        ("script_upper_case.pt", "dangerous | harmful-script", "TorchScript code in a folder "
         "`CODE`, which torch finds", archive("archive/CODE/__torch__.py")),
        ("script_upper_suffix.pt", "dangerous | harmful-script", "the same with the suffix `.PY`",
         archive("archive/code/__torch__.PY")),
    ]


def bytes_of(maker, module="builtins", spelling="latin1"):
    """A pickle with a call that makes bytes, which are another pickle."""
    return pickle(call(name(module, maker), LATER, text(spelling)))


def hidden():
    """A pickle that runs something, in bytes that the one around it makes, or behind a frame."""
    harm = "dangerous | dangerous-call"
    run = b"cposix\ngetcwd\n)R"
    frame = b"\x95" + struct.pack("<Q", 3)
    return [
        ("bytes_of_text.pkl", harm, "a pickle in the text that `bytes` encodes",
         bytes_of("bytes")),
        ("bytearray_of_text.pkl", harm, "the same by `bytearray`", bytes_of("bytearray")),
        ("old_bytearray.pkl", harm, "the same by `__builtin__.bytearray`",
         bytes_of("bytearray", "__builtin__", "latin-1")),
        ("bytes_scrambled.pkl", ARGUMENTS, "the same in another encoding, which hides it",
         bytes_of("bytes", spelling="utf-16")),
        ("bytes_of_numbers.pkl", ARGUMENTS, "the same as a list of numbers",
         pickle(call(name("builtins", "bytes"),
                     list_of(*map(integer, b"cposix\ngetcwd\n)R."))))),
        ("frame_in_frame.pkl", harm, "a frame that begins in another one, behind which C Python "
         "reads on from memory",
         proto(4) + b"\x95" + struct.pack("<Q", 40) + NONE + b"0" + frame + NONE + b"0" + run +
         STOP),
        ("frame_beyond.pkl", harm, "a frame that is longer than the file",
         proto(4) + b"\x95" + struct.pack("<Q", 1 << 20) + run + STOP),
    ]


def holes():
    """All of them: name, verdict and rule, what it is, bytes."""
    return states() + makers() + old_names() + scripts() + hidden()
