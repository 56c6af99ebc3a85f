"""Makes ``spark.read.format("fusiongen")`` known: Spark 4 looks for modules of such names."""

from fusiongen.spark import FusiongenDataSource as DefaultSource

__all__ = ["DefaultSource"]
