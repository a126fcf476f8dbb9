"""What holds a worker that runs foreign code: standard library only, because it acts in a worker of any Python before anything else does."""

from __future__ import annotations

from engine.confinement.policy import PROTECTIONS, Policy, policy_for

__all__ = ["PROTECTIONS", "Policy", "policy_for"]
