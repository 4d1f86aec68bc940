"""Make fine-tuning data for small models with a large one as the teacher."""

__version__ = "0.1.0"
