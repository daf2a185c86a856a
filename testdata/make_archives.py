#!/usr/bin/env python3
"""Writes the archives that torch.jit, torch.package and torch.export make into good/, with the
PyTorch that runs it: NAME.pt with 1.13, NAME2.pt with 2.6.

usage, in the folder of this script: python3 - FOLDER <make_archives.py

torch copies the paths of sources into its files; read like this, none is that of a folder.
"""
import collections
import os
import sys
import types
import warnings

import torch
from torch import nn
from torch.package import PackageExporter, package_exporter

NEW = torch.__version__ >= "2"


def load_nets():
    """The module nets as if it lay in no folder."""
    module = sys.modules["nets"] = types.ModuleType("nets")
    module.__file__ = "nets.py"
    with open("nets.py", encoding="utf-8") as source:
        exec(compile(source.read(), "nets.py", "exec"), module.__dict__)
    return module


nets = load_nets()


# ---- torch.jit ----

def save_scripts(folder, suffix):
    """TorchScript: a layer, a net with everything, the same for phones, a sparse, a traced net."""
    torch.manual_seed(4)
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), folder + "/torchscript%s.pt" % suffix)
    net = torch.jit.script(nets.ScriptNet())
    torch.jit.save(net, folder + "/script%s.pt" % suffix)
    net._save_for_lite_interpreter(folder + "/script_mobile%s.pt" % suffix)
    torch.jit.save(torch.jit.script(nets.SparseNet()), folder + "/script_sparse%s.pt" % suffix)
    traced = torch.jit.trace(nets.TraceNet(), torch.ones(2, 3))
    torch.jit.save(traced, folder + "/script_traced%s.pt" % suffix)


# ---- torch.package ----

def save_packages(folder, suffix):
    """A package of one state dict; one of a whole module, views in a list, and a text; one of a
    traced module, which PyTorch lets nobody write who does not open a gate."""
    with PackageExporter(folder + "/package%s.pt" % suffix) as out:
        out.save_pickle("weights", "model.pkl", collections.OrderedDict(
            w=torch.arange(6.0).reshape(2, 3).t(), b=torch.ones(2, dtype=torch.int16)))
    torch.manual_seed(5)
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    with PackageExporter(folder + "/package_many%s.pt" % suffix) as out:
        out.extern(["torch.**", "collections"])
        out.save_pickle("nets.main", "model.pkl", net)
        out.save_pickle("nets", "state.pkl", {"w": net[0].weight, "v": [torch.arange(4)[1:]]})
        out.save_text("nets", "notes.txt", "hello")
    package_exporter._gate_torchscript_serialization = False
    with PackageExporter(folder + "/package_script%s.pt" % suffix) as out:
        out.extern("**")
        net = torch.jit.trace(nets.TraceNet(), torch.ones(2, 3))
        out.save_pickle("nets", "state.pkl", {"net": net, "again": net, "w": torch.ones(2)})


# ---- torch.export ----

def save_exports(folder):
    """An exported program: weights, a buffer that is not persistent, and a constant."""
    torch.manual_seed(6)
    program = torch.export.export(nets.Cell(), (torch.ones(1, 3),))
    torch.export.save(program, folder + "/export2.pt")


def save_all(folder):
    """Writes every file of this list."""
    good = os.path.join(folder, "good")
    save_scripts(good, "2" if NEW else "")
    save_packages(good, "2" if NEW else "")
    if NEW:
        save_exports(good)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    save_all(sys.argv[1])
