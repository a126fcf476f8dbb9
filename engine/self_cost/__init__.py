"""What the program itself costs: measured by `doctor --self-cost`, kept on this machine, shown beside its figures."""
