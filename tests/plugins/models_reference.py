# SPDX-License-Identifier: Apache-2.0
"""Writes models_golden.json: outputs of published networks, written here in plain PyTorch, whose weights are a formula.

    .venv/bin/python tests/plugins/models_reference.py            write it
    .venv/bin/python tests/plugins/models_reference.py --check    compare; exit status 1 if it differs

Names of weights are torchvision's. Where $PARIBUS_DATA has the pre-trained SqueezeNet, its scores are written, too.
"""

import json
import math
import os
import sys
from pathlib import Path

import golden
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

FILE = Path(__file__).with_name("models_golden.json")
PRETRAINED = "pretrained/squeezenet1_1-imagenet.safetensors"


class Block(nn.Module):
    def __init__(self, inside, middle, outside, stride, bottleneck):
        super().__init__()
        kernels = [1, 3, 1] if bottleneck else [3, 3]
        strides = [1, stride, 1] if bottleneck else [stride, 1]
        widths = [inside, middle, middle, outside] if bottleneck else [inside, middle, outside]
        self.count = len(kernels)
        for i, (k, s) in enumerate(zip(kernels, strides), 1):
            conv = nn.Conv2d(widths[i - 1], widths[i], k, s, k // 2, bias=False)
            setattr(self, f"conv{i}", conv)
            setattr(self, f"bn{i}", nn.BatchNorm2d(widths[i]))
        self.downsample = None
        if stride != 1 or inside != outside:
            self.downsample = nn.Sequential(
                nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside)
            )

    def forward(self, x):
        y = x
        for i in range(1, self.count + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            y = F.relu(y) if i < self.count else y
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, blocks, bottleneck, width=64, inner=1, small=False, classes=1000):
        super().__init__()
        self.small = small
        self.conv1 = nn.Conv2d(
            3, width, 3 if small else 7, 1 if small else 2, 1 if small else 3, bias=False
        )
        self.bn1 = nn.BatchNorm2d(width)
        inside = width
        for stage, count in enumerate(blocks):
            planes = width * 2**stage
            outside = planes * 4 if bottleneck else planes
            layer = []
            for b in range(count):
                stride = 2 if b == 0 and stage > 0 else 1
                layer.append(Block(inside, int(planes * inner), outside, stride, bottleneck))
                inside = outside
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layer))
        self.fc = nn.Linear(inside, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = x if self.small else F.max_pool2d(x, 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class Fire(nn.Module):
    def __init__(self, inside, squeeze, expand):
        super().__init__()
        self.squeeze = nn.Conv2d(inside, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x):
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], 1)


def squeezenet(classes=1000):
    def pool():
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    features = nn.Sequential(
        *(nn.Conv2d(3, 64, 3, 2), nn.ReLU(), pool()),
        *(Fire(64, 16, 64), Fire(128, 16, 64), pool()),
        *(Fire(128, 32, 128), Fire(256, 32, 128), pool()),
        *(Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256)),
    )
    classifier = nn.Sequential(nn.Dropout(0.5), nn.Conv2d(512, classes, 1), nn.ReLU())
    ends = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    net = nn.ModuleDict({"features": features, "classifier": classifier})
    net.forward = lambda x: ends(classifier(features(x)))
    return net


def double(inside, outside):
    net = nn.Sequential()
    for i, width in ((1, inside), (2, outside)):
        net.add_module(f"conv{i}", nn.Conv2d(width, outside, 3, padding=1, bias=False))
        net.add_module(f"bn{i}", nn.BatchNorm2d(outside))
        net.add_module(f"relu{i}", nn.ReLU())
    return net


class UNet(nn.Module):
    """Figure 1 of the paper with padding and batch norm."""

    def __init__(self, channels, width, depth, classes):
        super().__init__()
        widths = [width * 2**i for i in range(depth + 1)]
        inside = [channels, *widths]
        self.down = nn.ModuleList(double(inside[i], widths[i]) for i in range(depth))
        self.middle = double(widths[-2], widths[-1])
        back = widths[:-1][::-1]
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, 2) for w in back)
        self.join = nn.ModuleList(double(2 * w, w) for w in back)
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x):
        height, width = x.shape[2:]
        unit = 2 ** len(self.down)
        x = F.pad(x, (0, -width % unit, 0, -height % unit), mode="replicate")
        seen = []
        for step in self.down:
            x = step(x)
            seen.append(x)
            x = F.max_pool2d(x, 2)
        x = self.middle(x)
        for up, join in zip(self.up, self.join):
            x = join(torch.cat([seen.pop(), up(x)], 1))
        return self.head(x)[:, :, :height, :width]


def fill(net):
    """Weights by formula, numbered in the order of their names: bits of squares, exact everywhere."""
    for number, (name, tensor) in enumerate(sorted(net.state_dict().items())):
        if not tensor.is_floating_point():
            continue
        i = np.arange(tensor.numel(), dtype=np.uint64)
        bits = (i * i * np.uint64(2654435761) + np.uint64(40503 * (number + 1))) % np.uint64(2**32)
        value = bits / 2.0**31 - 1
        if tensor.dim() > 1:
            value *= math.sqrt(6 / (tensor.numel() // tensor.shape[0]))
        else:
            value = 0.1 * value + name.endswith(("running_var", ".weight"))
        tensor.copy_(torch.from_numpy(value).view(tensor.shape))


def names(net):
    return sorted(name for name, _ in net.named_parameters())


def scores(net, size):
    net.eval()
    with torch.no_grad():
        return golden.flat([net(golden.numbers((2, 3, size, size), 5))])


def nets():
    yield "resnet18", {"width": 8}, ResNet([2, 2, 2, 2], False, 8, classes=5), 64
    yield "resnet34", {"width": 4}, ResNet([3, 4, 6, 3], False, 4, classes=5), 64
    wide = {"width": 4, "inner": 2.0, "stem": "cifar"}
    yield "resnet50", wide, ResNet([3, 4, 6, 3], True, 4, 2, True, classes=5), 32
    yield "squeezenet1_1", {}, squeezenet(5), 64
    yield "unet", {"width": 4, "depth": 2}, UNet(3, 4, 2, 5), 9


def cases():
    found = []
    for use, params, net, size in nets():
        fill(net)
        found.append(
            {
                "part": golden.part("model", use, **params),
                "size": size,
                "names": names(net),
                "scores": scores(net, size),
            }
        )
    return found


def counts():
    full = {
        "resnet18": ResNet([2, 2, 2, 2], False),
        "resnet34": ResNet([3, 4, 6, 3], False),
        "resnet50": ResNet([3, 4, 6, 3], True),
        "squeezenet1_1": squeezenet(),
        "unet": UNet(3, 64, 4, 1000),
    }
    return {use: sum(p.numel() for p in net.parameters()) for use, net in full.items()}


def pretrained(folder):
    """The first ten scores of a pattern by the real weights, read without any library for it."""
    data = (Path(folder) / PRETRAINED).read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    net = squeezenet()
    state = net.state_dict()
    for name, about in json.loads(data[8:begin]).items():
        if name == "__metadata__":
            continue
        first, last = about["data_offsets"]
        values = np.frombuffer(data[begin + first : begin + last], dtype="<f4")
        state[name].copy_(torch.from_numpy(values.copy()).view(about["shape"]))
    return scores(net, 96)[:10]


def main():
    made = {"counts": counts(), "cases": cases()}
    old = json.loads(FILE.read_text()) if FILE.exists() else {}
    folder = os.environ.get("PARIBUS_DATA", Path(__file__).parents[3] / "shared" / "data")
    if (Path(folder) / PRETRAINED).exists():
        made["pretrained"] = pretrained(folder)
    elif "pretrained" in old:
        made["pretrained"] = old["pretrained"]
    if "--check" not in sys.argv:
        text = json.dumps(made, separators=(",", ":")).replace('{"part"', '\n{"part"')
        FILE.write_text(text + "\n")
        return 0
    difference = close(old, json.loads(json.dumps(made)))
    if difference:
        print(
            f"{FILE.name} differs from PyTorch {torch.__version__} at {difference}", file=sys.stderr
        )
    return 1 if difference else 0


def close(a, b, place=""):
    """As golden.differs, with room for the sums of convolutions on other machines."""
    if isinstance(a, list) and a and isinstance(a[0], float):
        return None if np.allclose(a, b, rtol=1e-3, atol=1e-4) else place
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return next((d for key in a if (d := close(a[key], b[key], f"{place}/{key}"))), None)
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return next((d for i, x in enumerate(a) if (d := close(x, b[i], f"{place}/{i}"))), None)
    return None if a == b else f"{place}: {a!r:.80} and {b!r:.80}"


if __name__ == "__main__":
    sys.exit(main())
