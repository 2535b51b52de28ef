"""Super-resolution networks as others publish them: their names, their arithmetic, in the plainest way."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


def conv(before: int, after: int, kernel: int = 3, *, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(before, after, kernel, 1, kernel // 2, bias=bias)


class NormalisedBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.rcb = nn.Sequential(
            conv(width, width, bias=False),
            nn.BatchNorm2d(width),
            nn.PReLU(),
            conv(width, width, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x):
        return self.rcb(x) + x


class Doubling(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.upsample_block = nn.Sequential(conv(width, 4 * width), nn.PixelShuffle(2), nn.PReLU())

    def forward(self, x):
        return self.upsample_block(x)


class SRGANGenerator(nn.Module):
    """SRGAN-PyTorch. Its layers were called conv_block1 … in 2022, conv1 … later."""

    def __init__(self, width=8, blocks=3, doublings=2, channels=3, names=("conv1", "conv2", "conv3")) -> None:
        super().__init__()
        self.names = names
        setattr(self, names[0], nn.Sequential(conv(channels, width, 9), nn.PReLU()))
        self.trunk = nn.Sequential(*[NormalisedBlock(width) for _ in range(blocks)])
        setattr(self, names[1], nn.Sequential(conv(width, width, bias=False), nn.BatchNorm2d(width)))
        self.upsampling = nn.Sequential(*[Doubling(width) for _ in range(doublings)])
        setattr(self, names[2], conv(width, channels, 9))

    def forward(self, x):
        first, second, third = (getattr(self, name) for name in self.names)
        features = first(x)
        return third(self.upsampling(features + second(self.trunk(features))))


class PlainBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = conv(width, width), conv(width, width)

    def forward(self, x):
        return x + self.conv2(F.relu(self.conv1(x)))


class MSRResNet(nn.Module):
    """BasicSR."""

    def __init__(self, width=8, blocks=3, scale=4, channels=3) -> None:
        super().__init__()
        self.scale = scale
        self.conv_first = conv(channels, width)
        self.body = nn.Sequential(*[PlainBlock(width) for _ in range(blocks)])
        self.upconv1 = conv(width, width * (4 if scale == 4 else scale**2))
        if scale == 4:
            self.upconv2 = conv(width, width * 4)
        self.conv_hr, self.conv_last = conv(width, width), conv(width, channels)

    def forward(self, x):
        out = self.body(F.leaky_relu(self.conv_first(x), 0.1))
        if self.scale == 4:
            out = F.leaky_relu(F.pixel_shuffle(self.upconv1(out), 2), 0.1)
            out = F.leaky_relu(F.pixel_shuffle(self.upconv2(out), 2), 0.1)
        else:
            out = F.leaky_relu(F.pixel_shuffle(self.upconv1(out), self.scale), 0.1)
        out = self.conv_last(F.leaky_relu(self.conv_hr(out), 0.1))
        return out + F.interpolate(x, scale_factor=self.scale, mode="bilinear", align_corners=False)


class RDB(nn.Module):
    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        for index in range(1, 6):
            setattr(self, f"conv{index}", conv(width + (index - 1) * growth, width if index == 5 else growth))

    def forward(self, x):
        x1 = F.leaky_relu(self.conv1(x), 0.2)
        x2 = F.leaky_relu(self.conv2(torch.cat((x, x1), 1)), 0.2)
        x3 = F.leaky_relu(self.conv3(torch.cat((x, x1, x2), 1)), 0.2)
        x4 = F.leaky_relu(self.conv4(torch.cat((x, x1, x2, x3), 1)), 0.2)
        return self.conv5(torch.cat((x, x1, x2, x3, x4), 1)) * 0.2 + x


class RRDB(nn.Module):
    def __init__(self, width: int, growth: int, name: str) -> None:
        super().__init__()
        self.name = name
        for index in range(1, 4):
            setattr(self, f"{name}{index}", RDB(width, growth))

    def forward(self, x):
        out = x
        for index in range(1, 4):
            out = getattr(self, f"{self.name}{index}")(out)
        return out * 0.2 + x


class RRDBNet(nn.Module):
    """BasicSR and Real-ESRGAN; with ``esrgan`` by the names of ESRGAN's own repository, which has ×4 alone."""

    def __init__(self, width=8, growth=4, blocks=2, ups=2, unshuffle=1, channels=3, *, esrgan=False) -> None:
        super().__init__()
        self.unshuffle, self.ups, self.esrgan = unshuffle, ups, esrgan
        self.conv_first = conv(channels * unshuffle**2, width)
        trunk, dense, after, up, fine = (
            ("RRDB_trunk", "RDB", "trunk_conv", "upconv", "HRconv")
            if esrgan
            else ("body", "rdb", "conv_body", "conv_up", "conv_hr")
        )
        self.names = (trunk, after, up, fine)
        setattr(self, trunk, nn.Sequential(*[RRDB(width, growth, dense) for _ in range(blocks)]))
        setattr(self, after, conv(width, width))
        for index in range(1, ups + 1):
            setattr(self, f"{up}{index}", conv(width, width))
        setattr(self, fine, conv(width, width))
        self.conv_last = conv(width, channels)

    def forward(self, x):
        trunk, after, up, fine = self.names
        feat = self.conv_first(F.pixel_unshuffle(x, self.unshuffle))
        feat = feat + getattr(self, after)(getattr(self, trunk)(feat))
        for index in range(1, self.ups + 1):
            enlarged = F.interpolate(feat, scale_factor=2, mode="nearest")
            feat = F.leaky_relu(getattr(self, f"{up}{index}")(enlarged), 0.2)
        return self.conv_last(F.leaky_relu(getattr(self, fine)(feat), 0.2))


class FirstRRDBNet(nn.Module):
    """ESRGAN's first layout: one sequence of layers, so that names are numbers."""

    def __init__(self, width=8, growth=4, blocks=2, ups=2, channels=3) -> None:
        super().__init__()
        trunk = Shortcut(nn.Sequential(*[FirstRRDB(width, growth) for _ in range(blocks)], conv(width, width)))
        layers: list[nn.Module] = [conv(channels, width), trunk]
        for _ in range(ups):
            layers += [nn.Upsample(scale_factor=2), conv(width, width), nn.LeakyReLU(0.2)]
        self.model = nn.Sequential(*layers, conv(width, width), nn.LeakyReLU(0.2), conv(width, channels))

    def forward(self, x):
        return self.model(x)


class Shortcut(nn.Module):
    def __init__(self, sub: nn.Module) -> None:
        super().__init__()
        self.sub = sub

    def forward(self, x):
        return x + self.sub(x)


class FirstRRDB(RRDB):
    def __init__(self, width: int, growth: int) -> None:
        super().__init__(width, growth, "RDB")
        for index in range(1, 4):
            dense = getattr(self, f"RDB{index}")
            for at in range(1, 6):  # each convolution is the first of a sequence
                setattr(dense, f"conv{at}", nn.Sequential(getattr(dense, f"conv{at}")))


class SRVGGNetCompact(nn.Module):
    """Real-ESRGAN."""

    def __init__(self, width=8, convs=3, scale=4, channels=3) -> None:
        super().__init__()
        self.scale = scale
        self.body = nn.ModuleList([conv(channels, width), nn.PReLU(width)])
        for _ in range(convs):
            self.body.extend([conv(width, width), nn.PReLU(width)])
        self.body.append(conv(width, channels * scale**2))

    def forward(self, x):
        out = x
        for layer in self.body:
            out = layer(out)
        return F.pixel_shuffle(out, self.scale) + F.interpolate(x, scale_factor=float(self.scale), mode="nearest")


def trained(network: nn.Module, seed: int = 0) -> nn.Module:
    """With weights and running statistics that no initialisation gives, in eval mode."""
    random = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2, generator=random)
        elif tensor.is_floating_point():
            spread = 1 / max(1, tensor[0].numel()) ** 0.5 if tensor.dim() == 4 else 0.3
            tensor.uniform_(-spread, spread, generator=random)
    return network.eval()
