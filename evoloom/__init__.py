"""evoloom: evolve anything you can measure."""

__version__ = "0.1.0.dev0"
