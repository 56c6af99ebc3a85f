"""Types of events in Arrow and in Spark, and batches as Spark takes them: without dictionaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fusiongen

if TYPE_CHECKING:
    import pyarrow  # type: ignore[import-untyped, unused-ignore]
    from pyspark.sql.types import StructType


def spark_schema(stream: fusiongen.Stream) -> StructType:
    """The schema of a stream's batches."""
    import pyarrow
    from pyspark.sql.types import StructType

    fields = pyarrow.schema(stream)
    found = _to_spark(pyarrow.struct(list(fields)))
    assert isinstance(found, StructType)
    return found


def _to_spark(of: Any) -> Any:
    from pyarrow import types
    from pyspark.sql import types as spark

    if types.is_dictionary(of):
        return _to_spark(of.value_type)
    if types.is_struct(of):
        fields = [
            spark.StructField(field.name, _to_spark(field.type), field.nullable) for field in of
        ]
        return spark.StructType(fields)
    if types.is_list(of):
        return spark.ArrayType(_to_spark(of.value_type), of.value_field.nullable)
    simple = {
        "string": spark.StringType,
        "bool": spark.BooleanType,
        "int32": spark.IntegerType,
        "int64": spark.LongType,
        "date32[day]": spark.DateType,
        "timestamp[us, tz=UTC]": spark.TimestampType,
    }
    return simple[str(of)]()


def arrow_schema(schema: StructType) -> pyarrow.Schema:
    """The Arrow schema that Spark expects of batches with this schema."""
    import pyarrow

    return pyarrow.schema(list(_to_arrow(schema)))


def _to_arrow(of: Any) -> Any:
    import pyarrow
    from pyspark.sql import types as spark

    if isinstance(of, spark.StructType):
        return pyarrow.struct(
            [
                pyarrow.field(field.name, _to_arrow(field.dataType), field.nullable)
                for field in of.fields
            ]
        )
    if isinstance(of, spark.ArrayType):
        element = pyarrow.field("element", _to_arrow(of.elementType), of.containsNull)
        return pyarrow.list_(element)
    simple = {
        "string": pyarrow.string(),
        "boolean": pyarrow.bool_(),
        "integer": pyarrow.int32(),
        "long": pyarrow.int64(),
        "date": pyarrow.date32(),
        "timestamp": pyarrow.timestamp("us", tz="UTC"),
    }
    return simple[of.typeName()]


def require_part(schema: StructType, known: StructType, path: str = "") -> None:
    """Refuses a schema with a field that events do not have, or have with another type."""
    from pyspark.sql.types import StructType

    for field in schema.fields:
        name = f"{path}{field.name}"
        if field.name not in known.fieldNames():
            raise fusiongen.SettingError(
                "schema", f"events have no field '{name}'", "give fields of the default schema"
            )
        of = known[field.name].dataType
        if isinstance(of, StructType) and isinstance(field.dataType, StructType):
            require_part(field.dataType, of, f"{name}.")
        elif _without_nulls(field.dataType) != _without_nulls(of):
            raise fusiongen.SettingError(
                "schema",
                f"'{name}' is {of.simpleString()}, not {field.dataType.simpleString()}",
                "give the types of the default schema",
            )


def _without_nulls(of: Any) -> str:
    """A type, whether or not its parts may be null."""
    return str(of.simpleString())


def leaves(schema: pyarrow.Schema) -> list[str]:
    """The paths of a schema's leaves without those of directories; the time if there are none."""
    from pyarrow import types

    found: list[str] = []

    def visit(field: Any, path: str) -> None:
        if types.is_struct(field.type):
            for child in field.type:
                visit(child, f"{path}{field.name}.")
        else:
            found.append(f"{path}{field.name}")

    for field in schema:
        if field.name not in ("date", "category"):
            visit(field, "")
    # A stream has at least one column.
    return found or ["@timestamp"]


def converted(batch: pyarrow.RecordBatch, schema: pyarrow.Schema) -> pyarrow.RecordBatch:
    """A batch with these columns, in their order and of their types."""
    import pyarrow

    arrays = [_converted(batch.column(field.name), field.type) for field in schema]
    return pyarrow.RecordBatch.from_arrays(arrays, schema=schema)


def _converted(array: Any, to: Any) -> Any:
    """pyarrow casts no dictionaries inside of structs and lists."""
    import pyarrow
    from pyarrow import types

    if types.is_struct(to):
        children = [_converted(array.field(field.name), field.type) for field in to]
        return pyarrow.StructArray.from_arrays(children, fields=list(to))
    if types.is_list(to):
        values = _converted(array.values, to.value_type)
        nulls = array.is_null() if array.null_count else None
        return pyarrow.ListArray.from_arrays(array.offsets, values, type=to, mask=nulls)
    return array if array.type == to else array.cast(to)
