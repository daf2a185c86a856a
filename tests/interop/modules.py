"""Cases of whole modules as torch has them, pickled with all that Python hangs on them. What they
must become is what their own state_dict() says."""

import copy
from collections import OrderedDict

import torch
from torch import fx, nn
from torch.nn.utils import prune

from cases import NEW, case, save_legacy, save_to_path, with_protocol
from pickles import Net

MODULES = OrderedDict()


CODE = "runs Python code that lies in the file"


def module(make):
    """Also a case of the legacy format, and one of another protocol, each in its turn."""
    turn = len(MODULES)
    MODULES[make.__name__] = make
    label = "module-" + make.__name__.replace("_", "-")
    code = CODE if make.__name__.startswith("graph") else None
    case(name=label, strict=STRICT.get(make.__name__, True), refuses=code)(seeded(make))
    case(name=label + "-legacy", save=save_legacy, refuses=code)(seeded(make))
    case(name="%s-protocol-%d" % (label, 3 + turn % 3), refuses=code,
         save=with_protocol(3 + turn % 3, (save_to_path, save_legacy)[turn // 3 % 2]))(seeded(make))
    return make


def seeded(make):
    def run(source):
        torch.manual_seed(len(make.__name__))
        return make(source)
    return run


# What --strict says where the file needs more than torch's own classes, or holds tensors that no
# state_dict() has. None: whatever it likes.
STRICT = {
    **dict.fromkeys(("net", "named_as_homes", "graph_with_attributes", "hidden_buffers", "hooked",
                     "attributes", "flattened", "extra_state", "circle", "own_state", "reduced",
                     "subclassed"), ["--strict"]),
    **dict.fromkeys(("weight_norm", "spectral_norm"), ["--strict"]),
    "graph": None,
    "lazy": ["--strict"],
}


# ---- what torch has ----

@module
def sequential(source):
    return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.BatchNorm1d(3), nn.Dropout(),
                         nn.Linear(3, 2))


@module
def named(source):
    return nn.Sequential(OrderedDict([("first", nn.Conv2d(2, 3, 3)), ("0", nn.Conv1d(2, 3, 1)),
                                      ("10", nn.PReLU(3)), ("9", nn.GroupNorm(1, 3))]))


@module
def net(source):
    return Net()


@module
def tied_net(source):
    inner = nn.Linear(3, 3)
    outer = nn.Sequential(inner, nn.Sequential(inner, nn.Linear(3, 3)), inner)
    outer[1][1].weight = inner.weight
    return outer


@module
def data_parallel(source):
    return nn.DataParallel(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))


class Homes(nn.Module):
    """Its parts are called as people call the place of the weights in a dict."""

    def __init__(self):
        super().__init__()
        self.model = nn.Linear(2, 3)
        self.step = nn.Module()
        self.step.register_buffer("count", torch.tensor(3))


@module
def named_as_homes(source):
    return Homes()


@module
def parameter_lists(source):
    return nn.ModuleDict({
        "list": nn.ParameterList([nn.Parameter(source.floats(2)), nn.Parameter(source.floats(3))]),
        "dict": nn.ParameterDict({"a": nn.Parameter(source.floats(2)),
                                  "z b": nn.Parameter(source.floats(1, 2)),
                                  "0": nn.Parameter(source.floats(1))}),
        "empty": nn.ParameterList(),
    })


@module
def module_dict(source):
    keys = ("layer", "a b", "a/b", "10", "9", "quo'te", "\u00e9\u4e2d", "type_", "weight")
    return nn.ModuleDict({key: nn.Linear(2, 1 + i) for i, key in enumerate(keys)})


@module
def module_list(source):
    return nn.ModuleList([nn.Linear(1, 2),
                          nn.ModuleList([nn.Embedding(3, 2), nn.Bilinear(1, 2, 3)])])


@module
def lstm(source):
    return nn.LSTM(3, 4, num_layers=2, bidirectional=True)


@module
def lstm_projected(source):
    return nn.LSTM(3, 4, proj_size=2, bias=False)


@module
def gru(source):
    return nn.Sequential(nn.GRU(3, 4, bidirectional=True, batch_first=True), nn.RNN(3, 4))


@module
def cells(source):
    return nn.ModuleList([nn.LSTMCell(3, 4), nn.GRUCell(3, 4), nn.RNNCell(3, 4, bias=False)])


@module
def lstm_that_ran(source):
    model = nn.LSTM(3, 4)
    model(source.finite(torch.float32, 2, 1, 3))[0].sum().backward()
    return model


@module
def lstm_in_half(source):
    return copy.deepcopy(nn.LSTM(3, 4).half())


@module
def attention(source):
    return nn.ModuleList([nn.MultiheadAttention(4, 2), nn.MultiheadAttention(
        4, 2, kdim=3, vdim=5, add_bias_kv=True, bias=False)])


@module
def transformer(source):
    return nn.Transformer(4, 2, num_encoder_layers=1, num_decoder_layers=1, dim_feedforward=5)


@module
def embeddings(source):
    return nn.ModuleList([nn.Embedding(5, 3, padding_idx=1), nn.EmbeddingBag(5, 3, mode="sum"),
                          nn.Embedding.from_pretrained(source.floats(4, 2))])


@module
def norms(source):
    return nn.ModuleList([nn.BatchNorm2d(2), nn.BatchNorm1d(2, affine=False),
                          nn.BatchNorm3d(2, track_running_stats=False), nn.LayerNorm((2, 3)),
                          nn.InstanceNorm2d(2, affine=True, track_running_stats=True),
                          nn.GroupNorm(2, 4), nn.LocalResponseNorm(2),
                          nn.SyncBatchNorm(2)])


@module
def convolutions(source):
    return nn.ModuleList([nn.Conv1d(2, 3, 1), nn.ConvTranspose2d(2, 3, 2), nn.Conv3d(1, 1, 1),
                          nn.Conv2d(4, 4, 3, groups=4, bias=False)]).to(
                              memory_format=torch.contiguous_format)


@module
def channels_last(source):
    return nn.Sequential(nn.Conv2d(3, 4, 3)).to(memory_format=torch.channels_last)


@module
def losses(source):
    return nn.ModuleList([nn.CrossEntropyLoss(weight=source.floats(3)),
                          nn.AdaptiveLogSoftmaxWithLoss(4, 20, [5, 10]),
                          nn.BCEWithLogitsLoss(pos_weight=source.floats(2))])


@module
def weight_norm(source):
    model = nn.Sequential(nn.utils.weight_norm(nn.Linear(3, 4)),
                          nn.utils.weight_norm(nn.Conv1d(2, 3, 1), name="weight", dim=None))
    return model


@module
def spectral_norm(source):
    return nn.Sequential(nn.utils.spectral_norm(nn.Linear(3, 4)))


@module
def pruned(source):
    model = nn.Linear(3, 4)
    prune.random_unstructured(model, "weight", amount=0.5)
    prune.remove(model, "weight")
    return model


@case(since=NEW, strict=True)  # the old one cannot be pickled
def averaged(source):
    average = torch.optim.swa_utils.AveragedModel(nn.Linear(2, 3))
    average.update_parameters(nn.Linear(2, 3))
    return average


@module
def frozen(source):
    return nn.Sequential(nn.Linear(2, 3).requires_grad_(False), nn.Linear(3, 1)).eval()


@module
def graph(source):
    return fx.symbolic_trace(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Sequential(
        nn.Conv1d(1, 1, 1), nn.BatchNorm1d(1))))


class Constant(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.register_buffer("shift", torch.arange(2.0))

    def forward(self, x):
        return self.layer(x) + self.shift + self.layer.weight.sum()


@module
def graph_with_attributes(source):
    return fx.symbolic_trace(Constant())


@module
def copied(source):
    return copy.deepcopy(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))


@module
def identity(source):
    return nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(1, 1), nn.Sequential())


@module
def lazy(source):
    model = nn.Sequential(nn.LazyLinear(3), nn.LazyConv2d(3, 1), nn.Linear(1, 2))
    return model


# ---- torch.compile ----

@case(since=NEW, strict=True)
def compiled_state(source):
    return torch.compile(nn.Sequential(nn.Linear(2, 3))).state_dict()


@case(since=NEW)
def compiled_module(source):
    return torch.compile(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))


@case(since=NEW)
def compiled_in_place(source):
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    model.compile()
    return model


@case(since=NEW)
def buffers_of_2_5(source):
    model = nn.Linear(2, 3)
    model.table = nn.Buffer(source.floats(2))
    model.hidden = nn.Buffer(source.floats(2), persistent=False)
    return model


@case(since=NEW)
def rms_norm(source):
    return nn.Sequential(nn.RMSNorm(3), nn.Linear(3, 3))


# In the new torch plain tensors and nested containers may be in these.
@case(since=NEW)
def parameter_list_of_anything(source):
    return nn.ParameterList([nn.Parameter(source.floats(2)), source.floats(3), 7, "text",
                             nn.ParameterList([nn.Parameter(source.floats(1))])])


@case()
def parameter_list_of_tensors(source):
    return nn.ParameterList([source.floats(3), nn.Parameter(source.floats(2))])


@case()
def parameter_dict_of_anything(source):
    return nn.ParameterDict({"tensor": source.floats(3), "number": 7,
                             "inner": nn.ParameterDict({"w": nn.Parameter(source.floats(1))})})


@case()
def parameter_list_in_a_net(source):
    model = nn.Module()
    model.scales = nn.ParameterList([nn.ParameterList([source.floats(1)]), source.floats(2)])
    model.shifts = nn.ParameterDict({"b": nn.ParameterList([source.floats(3)]),
                                     "a": source.floats(1)})
    return model


# ---- parametrizations: their class is made at run time, so a module of them is hard to pickle ----

def parametrized(make):
    """torch forbids the pickle of a parametrized module; its state_dict is what people save."""
    return case(name="module-" + make.__name__.replace("_", "-"))(
        lambda source: make(source).state_dict())


@parametrized
def parametrized_spectral_norm(source):
    return nn.utils.parametrizations.spectral_norm(nn.Linear(3, 4))


@parametrized
def parametrized_orthogonal(source):
    return nn.utils.parametrizations.orthogonal(nn.Linear(3, 3))


@case(since=NEW)
def parametrized_weight_norm(source):
    return nn.utils.parametrizations.weight_norm(nn.Linear(3, 4)).state_dict()
