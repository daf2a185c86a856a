#!/usr/bin/env python3
"""One pickle for each rule by which calls, names and states are judged: rules.py CKCONV TESTDATA

The files of testdata/hostile/bypass mostly name os.system or its like somewhere,
and are dangerous for
that alone. Here nothing else is: each pickle breaks one rule,
and scan must name that rule and the global
it is about. Beside each stands, where there is one, the honest neighbour that is not dangerous.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.abspath(sys.argv[2]))
from craft import (  # noqa: E402 (of testdata)
    APPEND, BUILD, EMPTY_DICT, EMPTY_LIST, EMPTY_TUPLE, NEWOBJ, NONE, POP, SETITEM, TRUE, call,
    dict_of,
    integer, integers, list_of, name, named, pickle, real, text, tuple_of)

CALL, IMPORT, ARGUMENTS = "dangerous-call", "dangerous-import", "odd-arguments"
CHANGED, VALUE, ODD_NAME, DOTTED = "changed-global", "call-of-value", "odd-name", "dotted-name"
UNKNOWN, EXPANDS, BAD = "unknown", "expands", "bad-arguments"

THING = name("own.things", "Thing")          # a class that nobody knows
FUNCTION = name("own.things", "assemble")    # a function that nobody knows
GETATTR, PARTIAL = name("builtins", "getattr"), name("functools", "partial")
RECONSTRUCT = name("copyreg", "_reconstructor")
OBJECT = name("builtins", "object")
TOUCH, CODE = "touch marker", "import os; os.remove('x')"
HIDDEN = text("cposix\ngetcwd\n)R.")  # a pickle, as text
BIG = 1 << 40
DEEP = 20000  # twice as deep as the limit


def new(of, *arguments):
    """NEWOBJ."""
    return of + tuple_of(*arguments) + NEWOBJ


def new_ex(of, **keywords):
    """NEWOBJ_EX, which comes with protocol 4."""
    return of + EMPTY_TUPLE + named(**keywords) + b"\x92"


def build(value, state):
    """BUILD."""
    return value + state + BUILD


def attribute(of, what):
    """getattr(of, 'what')."""
    return call(GETATTR, of, text(what))


def dtype(state):
    """numpy.dtype('V8') with a state."""
    return build(call(name("numpy", "dtype"), text("V8"), b"\x89", TRUE), state)


def list_by_list(count):
    """A list of as many times the same list of as many values."""
    return EMPTY_LIST + b"(" + NONE * count + b"eq\x000" + list_of(b"h\x00" * count)


def deep_by_parts():
    """Lists that are empty when they are put into others, and filled later, from the outside in."""
    made = b"".join(EMPTY_LIST + b"r" + struct.pack("<I", i) + POP for i in range(DEEP + 1))
    filled = b"".join(b"j" + struct.pack("<I", i) + b"j" + struct.pack("<I", i + 1) + APPEND + POP
                      for i in range(DEEP))
    return made + filled + b"j" + struct.pack("<I", 0)


# ---- name, the pickle's value, verdict, (rule, global) of findings that there must be ----

def names():
    """What a name alone tells."""
    return [
        ("slash", name("own/things", "Thing"), "dangerous", [(ODD_NAME, "own/things.Thing")]),
        ("backslash", name("own", "a\\b"), "dangerous", [(ODD_NAME, None)]),
        ("not_utf8", b"cown\nThing\xff\n", "malformed", [("broken-pickle", None)]),
        ("not_utf8_operand", b"U\x03ownU\x02T\xff\x93", "malformed", [("broken-pickle", None)], 4),
        ("c1_control", b"cown\nThing\xc2\x9b\n", "dangerous", [(ODD_NAME, None)]),
        ("dot_before", name(".own", "Thing"), "dangerous", [(ODD_NAME, ".own.Thing")]),
        ("dot_behind", name("own.", "Thing"), "dangerous", [(ODD_NAME, None)]),
        ("no_module", text("") + text("x") + b"\x93", "dangerous", [(ODD_NAME, None)], 4),
        ("no_name", text("own") + text("") + b"\x93", "dangerous", [(ODD_NAME, "own.")], 4),
        ("dotted", text("own.things") + text("Thing.inner") + b"\x93", "dangerous",
         [(DOTTED, "own.things.Thing.inner")], 4),
        ("computed", text("own.things") + call(name("builtins", "str"), text("Thing")) + b"\x93",
         "dangerous", [("computed-name", None)], 4),
        ("computed_module", call(name("builtins", "str"), text("own")) + text("Thing") + b"\x93",
         "dangerous", [("computed-name", None)], 4),
        ("computed_by_id", text("own") + b"Pname\n\x93", "dangerous",
         [("computed-name", None)], 4),
        ("computed_by_ids", b"Pposix\nPsystem\n\x93" + tuple_of(text("x")) + b"R", "dangerous",
         [("computed-name", None)], 4),
        ("computed_by_global", name("own", "module") + text("run") + b"\x93", "dangerous",
         [("computed-name", None)], 4),
        ("computed_by_extension", text("own") + b"\x82\x05\x93", "dangerous",
         [("computed-name", None)], 4),
        ("long_dotted", text("os") + b"T" + struct.pack("<I", 8 * 600 + 6) + b"path.os." * 600 +
         b"system\x93", "dangerous", [("computed-name", None)], 4),
        ("format_of_torch", name("torch", "torch.channels_last"), UNKNOWN, []),
        ("format_of_others", name("own", "torch.channels_last"), "dangerous",
         [(DOTTED, "own.torch.channels_last")]),
        ("format_of_torches", name("torches", "torch.channels_last"), "dangerous",
         [(DOTTED, "torches.torch.channels_last")]),
        ("posix", name("posix", "getcwd"), "dangerous", [(IMPORT, "posix.getcwd")]),
        ("popen_anywhere", name("own.things", "Popen"), "dangerous",
         [(IMPORT, "own.things.Popen")]),
        ("attrgetter", name("operator", "attrgetter"), "dangerous",
         [(IMPORT, "operator.attrgetter")]),
        ("getattr", GETATTR, UNKNOWN, [("unknown-global", "builtins.getattr")]),
        ("partial", PARTIAL, UNKNOWN, [("unknown-global", "functools.partial")]),
        ("old_commands", name("commands", "mkarg"), "dangerous", [(IMPORT, "commands.mkarg")]),
        ("old_reduce", name("__builtin__", "reduce"), "dangerous",
         [(IMPORT, "__builtin__.reduce")]),
        ("old_imap", name("itertools", "imap"), "dangerous", [(IMPORT, "itertools.imap")]),
        ("old_thread", name("thread", "get_ident"), "dangerous", [(IMPORT, "thread.get_ident")]),
        ("old_eval", name("__builtin__", "eval"), "dangerous", [(IMPORT, "__builtin__.eval")]),
        # what Python 3 makes of a name is judged, where the name itself is on no list
        ("mapped", call(name("UserString", "OrderedDict")), "safe", []),
        ("mapped_check", call(name("UserString", "defaultdict"), GETATTR), "dangerous",
         [(ARGUMENTS, "UserString.defaultdict")]),
        ("not_mapped", call(name("UserThing", "OrderedDict")), UNKNOWN, []),
        ("script", name("__torch__.net", "Net"), UNKNOWN, []),
        ("cut_script", name("__torch", "Net"), UNKNOWN, []),
        ("old_vars", name("__builtin__", "vars"), "dangerous", [(IMPORT, "__builtin__.vars")]),
        ("old_setattr", name("__builtin__", "setattr"), "dangerous",
         [(IMPORT, "__builtin__.setattr")]),
        ("old_exceptions", name("exceptions", "eval"), "dangerous", [(IMPORT, "exceptions.eval")]),
        ("scheme", name("torch", "per_channel_affine"), "safe", []),
        ("almost_scheme", name("torch", "per_channel"), UNKNOWN, []),
        ("almost_script", name("__torch__net", "Net"), UNKNOWN, []),
        ("makes_code", name("dataclasses", "_create_fn"), "dangerous",
         [(IMPORT, "dataclasses._create_fn")]),
        ("of_dataclasses", name("dataclasses", "_MISSING_TYPE"), UNKNOWN, []),
        ("type_hints", name("typing", "get_type_hints"), "dangerous",
         [(IMPORT, "typing.get_type_hints")]),
        ("category", name("warnings", "_getcategory"), "dangerous",
         [(IMPORT, "warnings._getcategory")]),
        ("starmap", name("collections", "_starmap"), "dangerous",
         [(IMPORT, "collections._starmap")]),
        ("clock", name("time", "clock_settime"), "dangerous", [(IMPORT, "time.clock_settime")]),
        ("os_by_alias", name("argparse", "_os"), "dangerous", [(IMPORT, "argparse._os")]),
        ("os_of_others", name("own.things", "_os"), "dangerous", [(IMPORT, "own.things._os")]),
        ("module_by_alias", name("logging", "atexit"), "dangerous",
         [(IMPORT, "logging.atexit")]),
        ("no_module_by_alias", name("own.things", "atexit"), UNKNOWN, []),
        ("function_as_module", name("hashlib", "new"), UNKNOWN, []),
        ("class_as_module", name("html.parser", "HTMLParser"), UNKNOWN, []),
        ("graph_by_torch", name("torch.ao.quantization.fx.graph_module", "ObservedGraphModule"),
         "dangerous",
         [(IMPORT, "torch.ao.quantization.fx.graph_module.ObservedGraphModule")]),
        ("class_of_torch", name("torch.ao.quantization.observer", "MinMaxObserver"), UNKNOWN, []),
        ("allocator", name("torch.cuda.memory", "CUDAPluggableAllocator"), "dangerous",
         [(IMPORT, "torch.cuda.memory.CUDAPluggableAllocator")]),
        ("java", name("java.lang", "Runtime"), "dangerous", [(IMPORT, "java.lang.Runtime")]),
        ("fire", name("fire.core", "Fire"), "dangerous", [(IMPORT, "fire.core.Fire")]),
        ("compression", name("compression.gzip", "GzipFile"), "dangerous",
         [(IMPORT, "compression.gzip.GzipFile")]),
        ("compressions", name("compressions.own", "Thing"), UNKNOWN, []),
        ("hidden_warnings", name("_py_warnings", "filterwarnings"), "dangerous",
         [(IMPORT, "_py_warnings.filterwarnings")]),
        ("tests_of_python", name("_testcapi", "run_in_subinterp"), "dangerous",
         [(IMPORT, "_testcapi.run_in_subinterp")]),
        ("sysconfig_of_machine", name("_sysconfigdata__linux_x86_64-linux-gnu", "x"), "dangerous",
         [(IMPORT, "_sysconfigdata__linux_x86_64-linux-gnu.x")]),
    ] + private_modules()


def private_modules():
    """All modules of this Python's library that are its own."""
    return [("private%s" % module, name(module, "thing"), "dangerous",
             [(IMPORT, "%s.thing" % module)])
            for module in sorted(sys.stdlib_module_names)
            if module.startswith("_") and module != "__future__"]


def calls():
    """What is called, where nothing is wrong with the arguments."""
    return [
        ("class", call(THING), UNKNOWN, []),
        ("function", call(FUNCTION), UNKNOWN, []),
        ("harmful_word", call(name("own.things", "load_all")), "dangerous",
         [(CALL, "own.things.load_all")]),
        ("capital_word", call(name("own.things", "runCommand")), "dangerous",
         [(CALL, "own.things.runCommand")]),
        ("of_stdlib", call(name("colorsys", "rgb_to_hls")), "dangerous",
         [(CALL, "colorsys.rgb_to_hls")]),
        ("of_torch", call(name("torch.own", "thing")), "dangerous", [(CALL, "torch.own.thing")]),
        ("of_sympy", call(name("sympy", "expand")), "dangerous", [(CALL, "sympy.expand")]),
        ("of_torches", call(name("torches", "thing")), UNKNOWN, []),
        ("rebuilder", call(name("torch.own", "_rebuild_thing")), UNKNOWN, []),
        ("new_of_function", new(name("colorsys", "rgb_to_hls")), "dangerous",
         [(CALL, "colorsys.rgb_to_hls")]),
        ("graph", call(name("torch.fx.graph_module", "reduce_graph_module")), "dangerous",
         [(CALL, "torch.fx.graph_module.reduce_graph_module")]),
        ("deploy", call(name("torch.fx.graph_module", "reduce_deploy_graph_module")), "dangerous",
         [(CALL, "torch.fx.graph_module.reduce_deploy_graph_module")]),
        ("in_package", call(name("torch.fx.graph_module", "reduce_package_graph_module")),
         "dangerous",
         [(CALL, "torch.fx.graph_module.reduce_package_graph_module")]),
        ("persistent", call(name("torch_utils.persistence", "_reconstruct_persistent_obj")),
         "dangerous",
         [(CALL, "torch_utils.persistence._reconstruct_persistent_obj")]),
        ("of_result", call(call(FUNCTION)), "dangerous", [(VALUE, None)]),
        ("of_text", call(text("x")), "malformed", [("broken-pickle", None)]),
        ("inner_class", call(attribute(THING, "Inner"), integer(1)), UNKNOWN, []),
        ("inner_of_two", call(attribute(THING, "Inner"), integer(1), integer(2)), "dangerous",
         [(VALUE, None)]),
        ("inner_command", call(attribute(THING, "Inner"), text(TOUCH)), "dangerous",
         [(ARGUMENTS, None)]),
        ("inner_made", new(attribute(THING, "Inner"), text("x")), UNKNOWN,
         [("unknown-call", None)]),
        ("inner_made_command", new(attribute(THING, "Inner"), text(TOUCH)), "dangerous",
         [(ARGUMENTS, None)]),
        ("inner_of_torch", call(attribute(name("torch.own", "Thing"), "Inner"), text("a")),
         "dangerous",
         [(VALUE, None)]),
        ("inner_denied", call(attribute(THING, "Popen"), text("a")), "dangerous", [(VALUE, None)]),
        ("time_zone", call(attribute(name("zoneinfo", "ZoneInfo"), "_unpickle"), text("UTC"),
                           integer(1)),
         UNKNOWN, []),
        ("other_zone", call(attribute(name("zoneinfo", "ZoneInfo"), "from_bytes"), text("UTC")),
         "dangerous", [(VALUE, None)]),
        ("keywords", new_ex(name("collections", "OrderedDict"), a=integer(1)), "dangerous",
         [(ARGUMENTS, "collections.OrderedDict")], 4),
    ]


def given():
    """What calls of unknown things are given."""
    return [
        ("command", call(FUNCTION, text(TOUCH)), "dangerous",
         [(ARGUMENTS, "own.things.assemble")]),
        ("command_with_path", call(FUNCTION, text("/bin/sh -c id")), "dangerous",
         [(ARGUMENTS, "own.things.assemble")]),
        ("prose", call(FUNCTION, text("touch and go it is")), UNKNOWN, []),
        ("code", call(FUNCTION, text(CODE)), "dangerous", [(ARGUMENTS, "own.things.assemble")]),
        ("code_behind_blanks", call(FUNCTION, text("\n\t " + CODE)), "dangerous",
         [(ARGUMENTS, "own.things.assemble")]),
        ("code_inside", call(FUNCTION, text("x = ().__class__")), "dangerous",
         [(ARGUMENTS, "own.things.assemble")]),
        ("library", call(FUNCTION, text("/lib/own.so")), "dangerous",
         [(ARGUMENTS, "own.things.assemble")]),
        ("library_of_instance", new(THING, text("/lib/own.so")), UNKNOWN, []),
        ("function", call(FUNCTION, name("own.things", "load_all")), "dangerous",
         [(ARGUMENTS, "own.things.assemble")]),
        ("function_to_instance", new(THING, name("own.things", "load_all")), UNKNOWN, []),
        ("made_function", call(name("torch.own", "_rebuild_thing"), attribute(THING, "go")),
         "dangerous",
         [(ARGUMENTS, "torch.own._rebuild_thing")]),
        ("in_list", call(FUNCTION, list_of(integer(1), text(TOUCH))), "dangerous",
         [(ARGUMENTS, "own.things.assemble")]),
        ("in_dict", call(FUNCTION, named(a=text(TOUCH))), "dangerous",
         [(ARGUMENTS, "own.things.assemble")]),
        ("by_name", new_ex(THING, cmd=text(TOUCH)), "dangerous",
         [(ARGUMENTS, "own.things.Thing")], 4),
    ]


def attributes():
    """getattr."""
    about = [(ARGUMENTS, "builtins.getattr")]
    return [
        ("method", attribute(call(THING), "go"), UNKNOWN, []),
        ("special", attribute(call(THING), "__reduce_ex__"), "dangerous", about),
        ("harmful", attribute(call(THING), "system"), "dangerous", about),
        ("dotted", attribute(call(THING), "a.b"), "dangerous", about),
        ("computed", call(GETATTR, call(THING), call(FUNCTION)), "dangerous", about),
        ("nameless", attribute(call(THING), ""), "dangerous", about),
        ("default", call(GETATTR, call(THING), text("a"), NONE), "dangerous", about),
        ("path", attribute(call(name("pathlib", "PosixPath"), text("x")), "stem"), "dangerous",
         about),
        ("path_class", attribute(name("pathlib", "Path"), "home"), "dangerous", about),
        ("function", attribute(name("own.things", "load_all"), "go"), "dangerous", about),
        ("torch_function", attribute(name("torch.own", "thing"), "go"), "dangerous", about),
        ("walk", attribute(attribute(THING, "a"), "b"), "dangerous", about),
        ("classes", attribute(attribute(THING, "Inner"), "Innermost"), UNKNOWN, []),
        ("text", attribute(text("x"), "join"), "dangerous", about),
        ("format", attribute(name("torch._own", "torch"), "channels_last"), UNKNOWN, []),
        ("inner_of_harmful", new(attribute(name("own.things", "Popen"), "Inner")), "dangerous",
         [(VALUE, None)]),
    ]


def deferred():
    """Functions that wrap or call others."""
    zero = [EMPTY_TUPLE, EMPTY_DICT, NONE]
    return [
        ("partial", call(PARTIAL, FUNCTION), UNKNOWN, []),
        ("partial_guarded", call(PARTIAL, GETATTR), "dangerous",
         [(ARGUMENTS, "functools.partial")]),
        ("partial_text", call(PARTIAL, text("x")), "dangerous",
         [(ARGUMENTS, "functools.partial")]),
        ("partial_harmful", call(PARTIAL, name("timeit", "timeit")), "dangerous",
         [(CALL, "functools.partial")]),
        ("partial_state", build(new(PARTIAL), tuple_of(FUNCTION, *zero)), UNKNOWN, []),
        ("partial_state_guarded", build(new(PARTIAL), tuple_of(GETATTR, *zero)), "dangerous",
         [(ARGUMENTS, "functools.partial")]),
        ("partial_state_harmful", build(new(PARTIAL), tuple_of(name("timeit", "timeit"), *zero)),
         "dangerous", [(CALL, "functools.partial")]),
        ("partial_state_odd", build(new(PARTIAL), tuple_of(FUNCTION, *zero[1:])), "dangerous",
         [(ARGUMENTS, "functools.partial")]),
        ("factory", call(name("collections", "defaultdict"), name("builtins", "list")), "safe",
         []),
        ("factory_guarded", call(name("collections", "defaultdict"), GETATTR), "dangerous",
         [(ARGUMENTS, "collections.defaultdict")]),
        ("factory_harmful", call(name("collections", "defaultdict"), name("timeit", "timeit")),
         "dangerous",
         [(CALL, "collections.defaultdict")]),
        ("type_of_none", call(name("builtins", "type"), NONE), UNKNOWN, []),
        ("type_of_object", call(name("builtins", "type"), call(THING)), "dangerous",
         [(ARGUMENTS, "builtins.type")]),
        ("type_made", call(name("builtins", "type"), text("A"), EMPTY_TUPLE, EMPTY_DICT),
         "dangerous",
         [(ARGUMENTS, "builtins.type")]),
        ("hint", call(name("operator", "getitem"), name("typing", "List"),
                      name("builtins", "int")),
         UNKNOWN, []),
        ("no_hint", call(name("operator", "getitem"), call(THING), text("x")), "dangerous",
         [(ARGUMENTS, "operator.getitem")]),
        ("hint_of_others", call(name("operator", "getitem"), THING, text("x")), "dangerous",
         [(ARGUMENTS, "operator.getitem")]),
        ("flags", call(name("operator", "or_"), call(THING, integer(1)), call(THING, integer(2))),
         UNKNOWN,
         []),
        ("no_flags", call(name("operator", "or_"), call(THING), integer(2)), "dangerous",
         [(ARGUMENTS, "operator.or_")]),
        ("ufunc", call(name("numpy.core", "_ufunc_reconstruct"), text("numpy"), text("add")),
         UNKNOWN, []),
        ("ufunc_of_others", call(name("numpy.core", "_ufunc_reconstruct"), text("own"),
                                 text("add")),
         "dangerous", [(ARGUMENTS, "numpy.core._ufunc_reconstruct")]),
        ("ufunc_harmful", call(name("numpy.core", "_ufunc_reconstruct"), text("numpy.f2py"),
                               text("main")),
         "dangerous", [(ARGUMENTS, "numpy.core._ufunc_reconstruct")]),
        ("encode", call(name("_codecs", "encode"), text("a"), text("latin1")), "safe", []),
        ("encode_otherwise", call(name("_codecs", "encode"), text("bf"), text("rot_13")),
         "dangerous",
         [(ARGUMENTS, "_codecs.encode")]),
        ("load_bytes", call(name("torch.storage", "_load_from_bytes"), call(FUNCTION)),
         "dangerous",
         [(ARGUMENTS, "torch.storage._load_from_bytes")]),
        ("storage_class", call(name("torch", "FloatStorage"), integer(1)), "dangerous",
         [(ARGUMENTS, "torch.FloatStorage")]),
        ("memmap", call(name("numpy", "memmap"), text("x")), "dangerous",
         [(ARGUMENTS, "numpy.memmap")]),
        ("tensor_class", call(name("torch", "FloatTensor"), text("x")), "dangerous",
         [(ARGUMENTS, "torch.FloatTensor")]),
    ]


def objects():
    """Objects of classes, and what is built into them."""
    about = [(CHANGED, "own.things.Thing")]
    thing = call(RECONSTRUCT, THING, OBJECT, NONE)
    return [
        ("reconstructed", thing, UNKNOWN, []),
        ("of_function", call(RECONSTRUCT, name("colorsys", "rgb_to_hls"), OBJECT, NONE),
         "dangerous",
         [(CALL, "copyreg._reconstructor")]),
        ("of_function_with_base", call(RECONSTRUCT, name("colorsys", "rgb_to_hls"), THING, NONE),
         "dangerous", [(CALL, "copyreg._reconstructor")]),
        ("harmful_base", call(RECONSTRUCT, THING, name("colorsys", "rgb_to_hls"), NONE),
         "dangerous",
         [(CALL, "copyreg._reconstructor")]),
        ("no_base", call(RECONSTRUCT, THING, text("x"), NONE), "dangerous",
         [(ARGUMENTS, "copyreg._reconstructor")]),
        ("two_of_three", call(RECONSTRUCT, THING, OBJECT), "malformed",
         [(BAD, "copyreg._reconstructor")]),
        ("newobj", call(name("copyreg", "__newobj__"), THING), UNKNOWN, []),
        ("newobj_function", call(name("copyreg", "__newobj__"), name("colorsys", "rgb_to_hls")),
         "dangerous", [(CALL, "copyreg.__newobj__")]),
        ("newobj_ex_function",
         call(name("copyreg", "__newobj_ex__"), name("colorsys", "rgb_to_hls"),
                                    EMPTY_TUPLE, EMPTY_DICT), "dangerous",
         [(CALL, "copyreg.__newobj_ex__")]),
        ("old_newobj_function",
         call(name("copy_reg", "__newobj__"), name("colorsys", "rgb_to_hls")),
         "dangerous", [(CALL, "copy_reg.__newobj__")]),
        ("state", build(new(THING), named(a=integer(1))), UNKNOWN, []),
        ("special_state", build(new(THING), named(__class__=THING)), "dangerous", about),
        ("special_slot", build(new(THING), tuple_of(NONE, named(__setstate__=FUNCTION))),
         "dangerous", about),
        ("special_inside", build(new(THING), named(__dict__=named(__call__=FUNCTION))),
         "dangerous", about),
        ("computed_key", build(new(THING),
                               dict_of((call(name("builtins", "str"), text("a")), NONE))),
         "dangerous", about),
        ("number_of_text", build(new(THING), dict_of(
            (call(name("numpy.core.multiarray", "scalar"),
                  call(name("numpy", "dtype"), text("<U3")), text("abc")), NONE))),
         "dangerous", about),
        ("number_key", build(new(THING), dict_of(
            (call(name("numpy.core.multiarray", "scalar"),
                  call(name("numpy", "dtype"), text("<i8")), b"U\x08" + bytes(8)), NONE))),
         UNKNOWN, []),
        ("state_of_pairs", build(new(THING), call(name("collections", "OrderedDict"), list_of(
            tuple_of(text("__setstate__"), FUNCTION)))), "dangerous", about),
        ("state_set_in_call", build(new(THING), call(name("collections", "OrderedDict")) +
                                    text("__setstate__") + FUNCTION + SETITEM),
         "dangerous", about),
        ("state_of_dict", build(new(THING), tuple_of(NONE, call(name("builtins", "dict"), named(
            __call__=FUNCTION)))), "dangerous", about),
        ("state_of_tuple", build(new(THING), call(name("builtins", "tuple"), list_of(
            NONE, named(__call__=FUNCTION)))), "dangerous", about),
        ("state_of_tuple_of_calls", build(new(THING), call(name("builtins", "tuple"), list_of(
            NONE, call(name("builtins", "dict"), named(__call__=FUNCTION))))), "dangerous", about),
        ("state_of_appended", build(new(THING), call(
            name("builtins", "tuple"), call(name("collections", "deque")) + NONE + APPEND +
            named(__call__=FUNCTION) + APPEND)), "dangerous", about),
        ("state_of_honest_tuple", build(new(THING), call(name("builtins", "tuple"), list_of(
            NONE, named(a=FUNCTION)))), UNKNOWN, []),
        ("state_computed", build(new(THING), call(name("builtins", "dict"), call(FUNCTION))),
         "dangerous", about),
        ("state_of_honest_pairs", build(new(THING), call(
            name("collections", "OrderedDict"), list_of(tuple_of(text("a"), NONE)))), UNKNOWN, []),
        ("planted_by_call", build(new(THING), call(name("collections", "OrderedDict"), list_of(
            tuple_of(text("append"), FUNCTION)))) + integer(1) + APPEND, "dangerous", about),
        ("guarded_method", build(new(THING), named(as_subclass=name("torch.storage",
                                                                    "_load_from_bytes"))),
         "dangerous", about),
        ("dressed_class", build(call(name("torch.jit._pickle", "restore_type_tag"), THING,
                                     text("x")), named(a=NONE)),
         "dangerous", [(ARGUMENTS, "torch.jit._pickle.restore_type_tag")]),
        ("dressed_object", call(name("torch.jit._pickle", "build_intlist"), new(THING)),
         "dangerous", [(ARGUMENTS, "torch.jit._pickle.build_intlist")]),
        ("dressed_list", call(name("torch.jit._pickle", "build_intlist"), list_of(integer(1))),
         "safe", []),
        ("from_type_of_value", call(name("torch._tensor", "_rebuild_from_type_v2"), FUNCTION,
                                    text("x"), EMPTY_TUPLE, NONE),
         "dangerous", [(ARGUMENTS, "torch._tensor._rebuild_from_type_v2")]),
        ("from_type_dressed", call(name("torch._tensor", "_rebuild_from_type_v2"),
                                   name("torch.jit._pickle", "build_intlist"), THING,
                                   tuple_of(list_of(integer(1))), NONE),
         "dangerous", [(ARGUMENTS, "torch._tensor._rebuild_from_type_v2")]),
        ("newobj_memmap", call(name("copyreg", "__newobj__"), name("numpy", "memmap"), text("x")),
         "dangerous", [(ARGUMENTS, "copyreg.__newobj__")]),
        ("newobj_ex_memmap", call(name("copyreg", "__newobj_ex__"), name("numpy", "memmap"),
                                  tuple_of(text("x")), EMPTY_DICT),
         "dangerous", [(ARGUMENTS, "copyreg.__newobj_ex__")]),
        ("base_memmap", call(RECONSTRUCT, THING, name("numpy", "memmap"), text("x")),
         "dangerous", [(ARGUMENTS, "copyreg._reconstructor")]),
        ("namespace", call(name("types", "SimpleNamespace"), named(__class__=THING)), "dangerous",
         [(CHANGED, "types.SimpleNamespace")]),
        ("built_class", build(THING, named(a=integer(1))), "dangerous", about),
        ("set_in_class", THING + text("a") + integer(1) + SETITEM, "dangerous", about),
        ("appended_to_class", THING + text("a") + APPEND, "dangerous", about),
        ("built_id", build(tuple_of(text("module"), integer(1), integer(2)) + b"Q",
                           named(a=integer(1))),
         "dangerous", [(CHANGED, None)]),
        ("planted", build(new(THING), named(append=FUNCTION)) + integer(1) + APPEND, "dangerous",
         about),
        ("planted_slot", build(new(THING),
                               tuple_of(NONE, named(extend=FUNCTION))) + integer(1) + APPEND,
         "dangerous", about),
        ("set_in_tensor", call(name("torch", "FloatTensor")) + integer(0) + integer(1) + SETITEM,
         "malformed", [("changed-tensor", "torch.FloatTensor")]),
        ("appended_to_tensor", call(name("torch", "FloatTensor")) + integer(0) + APPEND,
         "malformed",
         [("changed-tensor", "torch.FloatTensor")]),
        ("forged_dtype", dtype(tuple_of(integer(3), text("|"), NONE, NONE, NONE, integer(8),
                                        integer(1),
                                        integer(1))), "dangerous", [(ARGUMENTS, "numpy.dtype")]),
        ("from_type", call(name("torch._tensor", "_rebuild_from_type_v2"), FUNCTION, THING,
                           EMPTY_TUPLE, EMPTY_DICT), UNKNOWN, []),
        ("from_type_of_dict", call(name("torch._tensor", "_rebuild_from_type_v2"),
                                   name("collections", "OrderedDict"), THING, EMPTY_TUPLE,
                                   EMPTY_DICT),
         "dangerous", [(ARGUMENTS, "torch._tensor._rebuild_from_type_v2")]),
        ("from_type_guarded", call(name("torch._tensor", "_rebuild_from_type_v2"),
                                   name("torch.storage", "_load_from_bytes"), THING,
                                   tuple_of(call(FUNCTION)), EMPTY_DICT), "dangerous",
         [(ARGUMENTS, "torch._tensor._rebuild_from_type_v2")]),
        ("with_state", call(name("torch._utils", "_rebuild_parameter_with_state"), NONE, TRUE,
                            EMPTY_DICT,
                            named(__class__=THING)), "dangerous",
         [(CHANGED, "torch._utils._rebuild_parameter_with_state")]),
        ("odd_id", tuple_of(text("thing"), integer(1)) + b"Q", UNKNOWN,
         [("odd-persistent-id", None)]),
        ("short_id", tuple_of(text("storage"), name("torch", "FloatStorage"), text("0")) + b"Q",
         "malformed", [(BAD, None)]),
        ("long_id", tuple_of(THING, integer(1), integer(1), integer(1)) + b"Q", UNKNOWN,
         [("odd-persistent-id", None)]),
        ("extension", b"\x82\x05", UNKNOWN, [("extension-code", None)]),
    ]


def padded():
    """What lies behind so many harmless pairs that most of them are only counted."""
    about = [(CHANGED, "own.things.Thing")]
    mapping, many = name("collections", "OrderedDict"), 40000

    def pair(key, value):
        return EMPTY_LIST + b"(" + text(key) + value + b"e"

    def entry(key, value):
        return tuple_of(text(key), value)

    def keyed(key, value):
        return dict_of((text(key), value))

    def mixed(key, value):
        return b"\x8f(" + text(key) + value + b"\x90"

    def state(make, key, value):
        return call(mapping, list_of(*[make("k%d" % i, integer(i)) for i in range(many)],
                                     make(key, value)))

    return [
        ("pairs", build(new(THING), state(pair, "__setstate__", text("x"))), "dangerous", about),
        ("tuples", build(new(THING), state(entry, "__call__", text("x"))), "dangerous", about),
        ("template", build(new(THING), state(pair, "_parse_arg_template", text(CODE))),
         "dangerous", about),
        ("planted", build(new(THING), state(pair, "extend", text("x"))) + integer(1) + APPEND,
         "dangerous", about),
        ("states", build(new(THING), call(name("builtins", "tuple"), list_of(
            *[keyed("k", integer(i)) for i in range(many)], keyed("__call__", text("x"))))),
         "dangerous", about),
        ("sets", build(new(THING), state(mixed, "__call__", text("x"))), "dangerous", about, 4),
        ("harmless", build(new(THING), state(pair, "k", text("x"))), UNKNOWN, []),
        ("set_as_pair", build(new(THING), call(mapping, list_of(
            mixed("_parse_arg_template", text(CODE))))), "dangerous", about, 4),
        ("dict_as_pair", build(new(THING), call(mapping, list_of(dict_of(
            (text("_parse_arg_template"), NONE), (text(CODE), NONE))))), "dangerous", about),
    ]


def sizes():
    """Calls that would fill the memory, or go through what is not known."""
    range_of = call(name("builtins", "range"), integer(BIG))
    return [
        ("list_of_range", call(name("builtins", "list"), range_of), "malformed",
         [(EXPANDS, "builtins.list")]),
        ("list_of_thing", call(name("builtins", "list"), call(THING)), "dangerous",
         [(ARGUMENTS, "builtins.list")]),
        ("list_of_number", call(name("builtins", "list"), real(1.5)), "malformed",
         [(BAD, "builtins.list")]),
        ("bytearray", call(name("builtins", "bytearray"), integer(10)), "safe", []),
        ("long_bytearray", call(name("builtins", "bytearray"), integer(1 << 31)), "malformed",
         [(EXPANDS, "builtins.bytearray")]),
        ("longer_bytearray", call(name("builtins", "bytearray"), integer(1 << 70)), "malformed",
         [(EXPANDS, "builtins.bytearray")]),
        ("odd_bytearray", call(name("builtins", "bytearray"), EMPTY_LIST, text("x")), "dangerous",
         [(ARGUMENTS, "builtins.bytearray")]),
        ("bytes_of_list", call(name("builtins", "bytes"), integers(range(65))), "dangerous",
         [(ARGUMENTS, "builtins.bytes")]),
        ("bytearray_of_list", call(name("builtins", "bytearray"), list_of(integer(1))),
         "dangerous", [(ARGUMENTS, "builtins.bytearray")]),
        ("bytes_by_scrambler", call(name("builtins", "bytes"), text("+AGM-"), text("utf-7")),
         "dangerous", [(ARGUMENTS, "builtins.bytes")]),
        ("bytes_by_latin", call(name("builtins", "bytes"), text("abc"), text("latin-1")), "safe",
         []),
        ("filled_bytearray", call(name("builtins", "bytearray")) + b"(" + integer(99) + b"e",
         "malformed", [("changed-tensor", "builtins.bytearray")]),
        ("filled_by_one", call(name("builtins", "bytearray")) + integer(99) + APPEND,
         "malformed", [("changed-tensor", "builtins.bytearray")]),
        ("filled_old_bytearray", call(name("__builtin__", "bytearray")) + integer(99) + APPEND,
         "malformed", [("changed-tensor", "__builtin__.bytearray")]),
        ("filled_opcode", b"\x96" + struct.pack("<Q", 1) + b"c(" + integer(112) + b"e",
         "malformed", [("changed-tensor", None)], 5),
        ("behind_filled", b"\x96" + struct.pack("<Q", 1) + b"c(" + integer(112) + b"e" + POP +
         call(name("posix", "getcwd")), "dangerous", [(CALL, "posix.getcwd")], 5),
        ("behind_set", b"\x96" + struct.pack("<Q", 1) + b"c" + integer(0) + integer(112) +
         SETITEM + POP + call(name("posix", "getcwd")), "dangerous", [(CALL, "posix.getcwd")], 5),
        ("filled_buffer", b"\x97" + integer(99) + APPEND, "malformed",
         [("changed-tensor", None)], 5),
        ("behind_filled_buffer", b"\x97(" + integer(99) + b"e" + POP +
         call(name("posix", "getcwd")), "dangerous", [(CALL, "posix.getcwd")], 5),
        ("behind_set_in_buffer", b"\x97" + integer(0) + integer(99) + SETITEM + POP +
         call(name("posix", "getcwd")), "dangerous", [(CALL, "posix.getcwd")], 5),
        ("behind_slice", EMPTY_LIST + integer(1) + APPEND + call(name("builtins", "slice"), NONE,
                                                                 NONE) +
         EMPTY_LIST + SETITEM + POP + call(name("posix", "getcwd")), "dangerous",
         [(CALL, "posix.getcwd")]),
        ("behind_name_in_list", EMPTY_LIST + name("errno", "EPERM") + integer(1) + SETITEM + POP +
         call(name("posix", "getcwd")), "dangerous", [(CALL, "posix.getcwd")]),
        ("slice_in_list", EMPTY_LIST + name("errno", "EPERM") + integer(1) + SETITEM, "malformed",
         [("changed-tensor", None)]),
        ("behind_filled_by_call", b"\x96" + struct.pack("<Q", 1) + b"c" +
         call(name("builtins", "int"), text("9")) + APPEND + POP + call(name("posix", "getcwd")),
         "dangerous", [(CALL, "posix.getcwd")], 5),
        ("filled_bytes_of_text", call(name("builtins", "bytearray"), text("c"), text("latin-1")) +
         b"(" + integer(112) + b"e", "malformed", [("changed-tensor", "builtins.bytearray")]),
        ("pickle_in_bytes", call(name("builtins", "bytes"), HIDDEN, text("latin1")), "dangerous",
         [(IMPORT, "posix.getcwd")]),
        ("pickle_in_bytearray", call(name("builtins", "bytearray"), HIDDEN, text("latin-1")),
         "dangerous", [(IMPORT, "posix.getcwd")]),
        ("pickle_in_old_bytearray", call(name("__builtin__", "bytearray"), HIDDEN,
                                         text("latin-1")),
         "dangerous", [(IMPORT, "posix.getcwd")]),
        ("tensor_of_size", call(name("torch", "FloatTensor"), integer(5)), "malformed",
         [(EXPANDS, "torch.FloatTensor")]),
        ("array", call(name("numpy.core.multiarray", "_reconstruct"), name("numpy", "ndarray"),
                       integers([BIG]), text("b")), "malformed",
         [(EXPANDS, "numpy.core.multiarray._reconstruct")]),
        ("array_of_function", call(name("numpy.core.multiarray", "_reconstruct"),
                                   name("colorsys", "rgb_to_hls"), integers([0]), text("b")),
                                   "dangerous",
         [(CALL, "numpy.core.multiarray._reconstruct")]),
        ("ndarray", call(name("numpy", "ndarray"), integers([BIG])), "malformed",
         [(EXPANDS, "numpy.ndarray")]),
        ("fraction", call(name("fractions", "Fraction"), text("1e1000000000")), "malformed",
         [(EXPANDS, "fractions.Fraction")]),
        ("third", call(name("fractions", "Fraction"), text("1/3")), "safe", []),
        ("popped", integer(1) + POP + integer(2), "safe", [("unusual-opcode", None)]),
        ("far_memo", integer(1) + b"r\xff\xff\xff\x7f", "malformed", [(EXPANDS, None)]),
        ("deep", EMPTY_TUPLE + DEEP * b"\x85", "malformed", [("over-limit", None)]),
        ("deep_by_parts", deep_by_parts(), "malformed", [("over-limit", None)]),
        ("circle", EMPTY_LIST + b"q\x00h\x00" + APPEND, "malformed", [(EXPANDS, None)]),
        # fewer values than the square of the references that lead to them, but too many for all
        ("many_by_many", list_by_list(350000), "malformed", [(EXPANDS, None)]),
        ("less_by_less", list_by_list(300000), "safe", []),
    ]


def shared(levels):
    """A tuple that unfolds to 2**levels ones: DUP and TUPLE2."""
    return integer(1) + b"\x85" + levels * b"2\x86"


def again(value, call_of_it, count):
    """A list of calls of one value, which is written once."""
    return value + b"q\x00" + POP + EMPTY_LIST + b"(" + count * call_of_it(b"h\x00") + b"e"


def numbers():
    """Numbers and texts of any length, by few letters."""
    big = call(name("decimal", "Decimal"), text("1e999999999"))
    path, fraction = name("pathlib", "PosixPath"), name("fractions", "Fraction")
    integer_class, text_class = name("builtins", "int"), name("builtins", "str")
    return [
        ("decimal", big, "safe", []),
        ("of_decimal", call(integer_class, big), "malformed", [(EXPANDS, "builtins.int")]),
        ("old", call(name("__builtin__", "long"), big), "malformed",
         [(EXPANDS, "__builtin__.long")]),
        ("of_text", call(integer_class, text("12")), "safe", []),
        ("of_long_text", call(integer_class, text("9" * 5000)), "malformed",
         [(EXPANDS, "builtins.int")]),
        ("base", call(RECONSTRUCT, THING, integer_class, integer(5)), UNKNOWN, []),
        ("base_of_decimal", call(RECONSTRUCT, THING, integer_class, big), "malformed",
         [(EXPANDS, "copyreg._reconstructor")]),
        ("base_of_size", call(RECONSTRUCT, THING, name("builtins", "bytearray"), integer(BIG)),
         "malformed", [(EXPANDS, "copyreg._reconstructor")]),
        ("base_list", call(RECONSTRUCT, THING, name("builtins", "list"), EMPTY_LIST), UNKNOWN,
         []),
        ("fraction", call(fraction, integer(1), integer(3)), "safe", []),
        ("fraction_of_decimal", call(fraction, big), "malformed",
         [(EXPANDS, "fractions.Fraction")]),
        ("fraction_of_fractions", call(fraction, call(fraction, integer(1)), integer(3)),
         "malformed", [(EXPANDS, "fractions.Fraction")]),
        ("path", call(path, text("a"), text("b")), "safe", []),
        ("path_of_paths", call(path, call(path, text("a")), call(path, text("a"))), "malformed",
         [(EXPANDS, "pathlib.PosixPath")]),
        ("text_of_list", call(text_class, EMPTY_LIST), "malformed", [(EXPANDS, "builtins.str")]),
        ("text_of_call", call(text_class, big), "malformed", [(EXPANDS, "builtins.str")]),
        ("text_of_bytes", call(text_class, b"C\x03abc", text("utf-8")), "safe", [], 4),
        ("text_of_idna", call(text_class, b"C\x03abc", text("idna")), "dangerous",
         [(ARGUMENTS, "builtins.str")], 4),
    ]


def arrays():
    """What NumPy makes of sizes and sequences."""
    dtype_class, ndarray = name("numpy", "dtype"), name("numpy", "ndarray")
    number, scalar = name("numpy", "float64"), name("numpy.core.multiarray", "scalar")
    reconstruct = name("numpy.core.multiarray", "_reconstruct")
    return [
        ("number", call(number, real(1.5)), "safe", []),
        ("of_range", call(number, call(name("builtins", "range"), integer(BIG))), "malformed",
         [(EXPANDS, "numpy.float64")]),
        ("of_shared", call(number, shared(40)), "malformed", [(EXPANDS, "numpy.float64")]),
        ("bytes", call(name("numpy", "bytes_"), integer(BIG)), "malformed",
         [(EXPANDS, "numpy.bytes_")]),
        ("scalar", call(scalar, call(dtype_class, text("V2000000000"))), "malformed",
         [(BAD, "numpy.core.multiarray.scalar")]),
        ("by_call", call(ndarray, call(name("torch", "Size"), integers([BIG]))), "malformed",
         [(EXPANDS, "numpy.ndarray")]),
        ("of_large", call(ndarray, integers([1]), text("V2000000000")), "malformed",
         [(EXPANDS, "numpy.ndarray")]),
        ("of_small", call(ndarray, integers([1]), text("d")), "safe", []),
        ("made_of_large", call(reconstruct, ndarray, integers([1]), text("V2000000000")),
         "malformed", [(EXPANDS, "numpy.core.multiarray._reconstruct")]),
        ("made_of_nothing", call(reconstruct, ndarray, integers([0]),
                                 call(name("_codecs", "encode"), text("b"), text("latin1"))),
         "safe", []),
        ("type", call(dtype_class, text("f8"), b"\x89", TRUE), "safe", []),
        ("type_of_shared", call(dtype_class, shared(40)), "malformed",
         [(EXPANDS, "numpy.dtype")]),
    ]


def amounts():
    """Calls that are harmless one by one."""
    made = name("builtins", "bytearray")
    long_text, long_list = text("a" * 100000), integers(range(10000))
    size = integer(1 << 20)

    def encode(value):
        return call(name("_codecs", "encode"), value, text("latin1"))

    def copy(value):
        return call(name("builtins", "list"), value)

    return [
        ("few", list_of(*[call(made, size)] * 40), "safe", []),
        ("many", list_of(*[call(made, size)] * 80), "malformed",
         [(EXPANDS, "builtins.bytearray")]),
        ("few_texts", again(long_text, encode, 400), "safe", []),
        ("many_texts", again(long_text, encode, 800), "malformed", [(EXPANDS, "_codecs.encode")]),
        ("few_copies", again(long_list, copy, 400), "safe", []),
        ("many_copies", again(long_list, copy, 1200), "malformed", [(EXPANDS, "builtins.list")]),
        ("copies_of_copies", again(call(made, size), lambda value: copy(copy(value)), 5),
         "malformed", [(EXPANDS, "builtins.list")]),
        ("set", call(name("builtins", "set"), list_of(tuple_of(integer(1), text("a")))), "safe",
         []),
        ("hashed", call(name("builtins", "set"), list_of(shared(40))) + POP + NONE, "malformed",
         [(EXPANDS, "builtins.set")]),
        ("hashed_keys", call(name("collections", "OrderedDict"),
                             list_of(tuple_of(shared(40), NONE))) + POP + NONE, "malformed",
         [(EXPANDS, "collections.OrderedDict")]),
    ] + hashed()


def hashed():
    """Keys that unfold to more than Python can go through, and are gone in the end."""
    mapping, key = name("collections", "OrderedDict"), shared(40)
    many = again(dict_of((shared(20), NONE)), lambda value: call(mapping, value), 500)

    def of(kind, *items):
        return call(name("builtins", kind), *items)

    def popped(label, value, found):
        return "hashed_" + label, value + POP + NONE, "malformed", found

    def expanding(label, value, kind):
        return popped(label, value, [(EXPANDS, kind)])

    return [
        expanding("list_pairs", call(mapping, list_of(list_of(key, NONE))),
                  "collections.OrderedDict"),
        expanding("tuple", of("set", of("tuple", list_of(key))), "builtins.set"),
        expanding("list", of("frozenset", of("list", list_of(key))), "builtins.frozenset"),
        expanding("pairs", call(mapping, of("list", list_of(tuple_of(key, NONE)))),
                  "collections.OrderedDict"),
        expanding("later", of("set", of("list") + key + APPEND), "builtins.set"),
        expanding("item", of("set", list_of(of("tuple", list_of(key)))), "builtins.set"),
        expanding("calls", of("set", list_of(integer(1) + b"\x85" + b"".join(
            b"q\x000" + of("tuple", list_of(b"h\x00", b"h\x00")) for _ in range(40)))),
                  "builtins.set"),
        expanding("again", many, "collections.OrderedDict"),
        popped("key", dict_of((of("tuple", list_of(key)), NONE)), [("over-limit", None)]),
        popped("deep_key", dict_of((key + 70 * b"\x85", NONE)), [("over-limit", None)]),
        ("honest_keys", list_of(
            call(mapping, list_of(list_of(tuple_of(integer(1), text("a")), NONE))),
            of("set", of("list", list_of(tuple_of(integer(1), text("a"))))),
            dict_of((of("tuple", list_of(integer(1))), NONE))), "safe", []),
    ]


def builtins():
    """What of Python itself is no data."""
    def judged(label, verdict):
        found = [(IMPORT, "builtins.%s" % label)] if verdict == "dangerous" else []
        return label, name("builtins", label), verdict, found

    return [judged(label, "dangerous") for label in
            ("hasattr", "aiter", "anext", "cell", "exec", "open", "no_such_thing", "ErrorTo",
             "module", "function", "map", "iter", "__dict__", "delattr", "vars")] + [
        judged(label, UNKNOWN) for label in
        ("len", "print", "sorted", "Ellipsis", "NotImplemented", "ValueError", "StopIteration",
         "UserWarning", "type", "getattr", "zip")] + [
        judged(label, "safe") for label in
        ("list", "dict", "set", "frozenset", "tuple", "int", "float", "bool", "str", "bytes",
         "bytearray", "complex", "object", "slice", "range")]


GROUPS = (names, calls, given, attributes, deferred, objects, padded, sizes, numbers, arrays,
          amounts, builtins)


def judge(report, verdict, findings):
    """What is wrong with the report, or None."""
    found = {(f["rule"], ("%s.%s" % (f["module"], f["name"])) if f.get("module") else None)
             for f in report["findings"]}
    if report["verdict"] != verdict:
        return "it is %s, not %s: %s" % (report["verdict"], verdict, sorted(map(str, found)))
    for rule, about in findings:
        if not any(r == rule and about in (None, n) for r, n in found):
            return "no %s of %s: %s" % (rule, about, sorted(map(str, found)))
    return None


def main():
    """Writes all pickles, has them scanned at once and judges the reports."""
    ckconv = os.path.abspath(sys.argv[1])
    expected = {}
    with tempfile.TemporaryDirectory() as folder:
        for group in GROUPS:
            for label, value, verdict, findings, *protocol in group():
                path = os.path.join(folder, "%s-%s.pkl" % (group.__name__, label))
                with open(path, "wb") as file:
                    file.write(pickle(value, *protocol))
                expected[path] = verdict, findings
        done = subprocess.run([ckconv, "scan", "--json", "-q", folder], capture_output=True,
                              check=False)
    reports = {r["path"]: r for r in map(json.loads, done.stdout.decode().splitlines())}
    failed = 0
    for path, (verdict, findings) in expected.items():
        wrong = judge(reports[path], verdict,
                      findings) if path in reports else "there is no report"
        failed += bool(wrong)
        if wrong:
            print("FAILED %s: %s" % (os.path.basename(path), wrong))
    print("%d passed, %d failed" % (len(expected) - failed, failed))
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
