"""Opens a folder of Parquet files with each library that is named, and prints rows as JSON; null for one that is not here."""

import json
import sys


def pyarrow(folder: str) -> list[dict]:
    import pyarrow.dataset

    return pyarrow.dataset.dataset(folder, format="parquet").to_table().to_pylist()


def pandas(folder: str) -> list[dict]:
    import pandas

    return pandas.read_parquet(folder).to_dict("records")


def duckdb(folder: str) -> list[dict]:
    import duckdb

    return duckdb.sql(f"SELECT * FROM '{folder}/*.parquet'").to_arrow_table().to_pylist()


def polars(folder: str) -> list[dict]:
    import polars

    return polars.read_parquet(f"{folder}/*.parquet").to_dicts()


def rows(library, folder: str) -> list[dict] | None:
    try:
        return library(folder)
    except ModuleNotFoundError:
        return None


libraries = {"pyarrow": pyarrow, "pandas": pandas, "duckdb": duckdb, "polars": polars}
print(json.dumps({name: rows(library, sys.argv[1]) for name, library in libraries.items()}))
