"""The network of the demo model: a small convolutional classifier of 64 x 64 colour pictures."""

from __future__ import annotations

import torch
from torch import nn


class DemoNet(nn.Module):
    """Three convolutions with batch norm, then two linear layers: about 90,000 parameters."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(*self._block(3, 16), *self._block(16, 32), *self._block(32, 64))
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(64 * 4 * 4, 64), nn.ReLU(), nn.Linear(64, classes))

    @staticmethod
    def _block(inside: int, outside: int) -> list[nn.Module]:
        return [nn.Conv2d(inside, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(), nn.MaxPool2d(2)]

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Class scores, [B, classes], of pictures [B, 3, 64, 64]."""
        return self.head(self.features(picture))


if __name__ == "__main__":  # how demo.pth was made
    torch.manual_seed(0)
    torch.save(DemoNet().state_dict(), "demo.pth")
