"""All cases, in the order of the modules that put them on the list."""

import importlib

from cases import CASES  # pylint: disable=unused-import

for _module in ("views", "pickles", "recipes", "modules", "own_modules", "scripts", "quantized",
                "sparse", "casts", "dressed", "arrays", "wrapped", "oddities", "mixtures"):
    importlib.import_module(_module)
