"""Reads answers in columns with the libraries that notebooks use, and writes what each has seen as JSON.

read-columns.py DIRECTORY: x.arrow, x.parquet and x.csv in it hold the same table; what was seen goes to seen.json.
"""

import json
import math
import sys

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.ipc
import pyarrow.parquet

directory = sys.argv[1]
ARROW, PARQUET, CSV = (f"{directory}/x.{kind}" for kind in ("arrow", "parquet", "csv"))


def plain(value):
    """As JSON has it: times in milliseconds, no NaN."""
    if hasattr(value, "timestamp"):
        return None if value is pandas.NaT else round(value.timestamp() * 1000)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def table(names, rows):
    return {"names": list(names), "rows": [[plain(value) for value in row] for row in rows]}


def of_arrow(read):
    return table(read.column_names, zip(*(column.to_pylist() for column in read.columns)))


def of_polars(frame):
    return table(frame.columns, frame.rows())


def of_pandas(frame):
    # A missing text is NaN there, and a value may be NaN.
    columns = [
        list(frame[name]) if name == "value" else [None if pandas.isna(text) else text for text in frame[name]]
        for name in frame.columns
    ]
    return table(frame.columns, zip(*columns))


def of_duckdb(relation):
    return table(relation.columns, relation.fetchall())


stream = pyarrow.ipc.open_stream(ARROW)
arrow = stream.read_all()
arrow.validate(full=True)
texts = {field.name: "string" for field in arrow.schema if pyarrow.types.is_dictionary(field.type)}
duck = duckdb.connect()
duck.execute("set timezone = 'UTC'")

with open(f"{directory}/seen.json", "w") as out:
    json.dump(
        {
            "schema": {field.name: str(field.type) for field in arrow.schema},
            "notes": {key.decode(): value.decode() for key, value in (arrow.schema.metadata or {}).items()},
            "batches": [batch.num_rows for batch in pyarrow.ipc.open_stream(ARROW)],
            "parquetSchema": {field.name: str(field.type) for field in pyarrow.parquet.read_schema(PARQUET)},
            "groups": pyarrow.parquet.ParquetFile(PARQUET).num_row_groups,
            "tables": {
                "pyarrow, Arrow": of_arrow(arrow),
                "pyarrow, Parquet": of_arrow(pyarrow.parquet.read_table(PARQUET)),
                "polars, Arrow": of_polars(polars.read_ipc_stream(ARROW)),
                "polars, Parquet": of_polars(polars.read_parquet(PARQUET)),
                "polars, CSV": of_polars(polars.read_csv(CSV, try_parse_dates=True, infer_schema_length=None)),
                "pandas, Arrow": of_pandas(arrow.to_pandas()),
                "pandas, Parquet": of_pandas(pandas.read_parquet(PARQUET)),
                "pandas, CSV": of_pandas(pandas.read_csv(CSV, parse_dates=["timestamp"], dtype=texts)),
                "DuckDB, Arrow": of_duckdb(duck.from_arrow(arrow)),
                "DuckDB, Parquet": of_duckdb(duck.read_parquet(PARQUET)),
                "DuckDB, CSV": of_duckdb(duck.read_csv(CSV)),
            },
        },
        out,
    )
