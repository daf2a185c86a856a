#!/usr/bin/env python3
"""Writes the archives that torch.jit, torch.package and torch.export make into good/, with the PyTorch
that runs it: NAME.pt with 1.13, NAME2.pt with 2.6.

usage: make_archives.py [FOLDER]     (default: the folder of this script)
"""
import collections
import os
import sys
import warnings

import torch
from torch import nn
from torch.package import PackageExporter

import nets

HERE = os.path.dirname(os.path.abspath(__file__))
NEW = torch.__version__ >= "2"


# ---- torch.jit ----

def save_scripts(folder, suffix):
    """TorchScript: a layer, a net with everything, the same for mobile phones, a traced net."""
    torch.manual_seed(4)
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), folder + "/torchscript%s.pt" % suffix)
    net = torch.jit.script(nets.ScriptNet())
    torch.jit.save(net, folder + "/script%s.pt" % suffix)
    net._save_for_lite_interpreter(folder + "/script_mobile%s.pt" % suffix)
    traced = torch.jit.trace(nets.TraceNet(), torch.ones(2, 3))
    torch.jit.save(traced, folder + "/script_traced%s.pt" % suffix)


# ---- torch.package ----

def save_packages(folder, suffix):
    """A package of one state dict; one of a whole module, views in a list, and a text."""
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
    save_all(sys.argv[1] if len(sys.argv) > 1 else HERE)
