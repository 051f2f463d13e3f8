"""Vivado's ``report_utilization``, ``report_timing_summary`` and ``report_power``."""

from __future__ import annotations

from collections.abc import Callable

from xnorflow.base.errors import ReportError, shown
from xnorflow.tools.report import Power, SynthReport, Usage
from xnorflow.tools.vivado.head import check_contents, head, stage_of, version
from xnorflow.tools.vivado.text import ReportTable, Source, tables
from xnorflow.tools.vivado.timing import read_timing

LUT_ROWS = ("Slice LUTs", "CLB LUTs", "LUTs")
FF_ROWS = ("Slice Registers", "CLB Registers", "Registers")
DSP_ROWS = ("DSPs", "DSP Slices", "DSP48s")


def read_vivado(source: Source) -> SynthReport:
    """Read one of the three reports, told by the command in its head or by its title.

    Raises:
        ReportError: another report of Vivado, cut short, or a field is missing or not of its kind.
    """
    readers: dict[str, tuple[str, Callable[[Source], SynthReport]]] = {
        "report_utilization": (r"^Utilization Design Information", read_utilisation),
        "report_timing_summary": (r"^Timing Summary Report", read_timing),
        "report_power": (r"^Power Report", read_power),
    }
    command = source.find(r"^\|\s*Command\s*:\s*(\S+)")
    if some := source.find(r"^\|\s*Command\s*:.*\s-(cells|pblocks)\b"):
        raise ReportError(f"{shown(source.path)}: a report of some cells alone (-{some}); write it without -{some}")
    for name, (title, reader) in readers.items():
        if command == name or (command is None and source.has(title)):
            return reader(source)
    what = command or "an unnamed one"
    raise ReportError(f"{shown(source.path)}: of Vivado's reports xnorflow reads {', '.join(readers)}, got {what}")


def read_utilisation(source: Source) -> SynthReport:
    """Read ``report_utilization``, flat or ``-hierarchical``."""
    check_contents(source)
    found = tables(source)
    tree = next((table for table in found if table.header[:2] == ("Instance", "Module")), None)
    usages = _flat(source, found) if tree is None else _tree(source, tree)
    return SynthReport(
        stage=stage_of(source, head(source, "Design State")),
        tool="Vivado",
        version=version(source),
        top=head(source, "Design"),
        part=head(source, "Device"),
        usage=usages.pop(""),
        available=usages.pop("available", Usage()),
        modules=usages,
    )


def _flat(source: Source, found: list[ReportTable]) -> dict[str, Usage]:
    sites = [table for table in found if table.column("Site Type") == 0 and table.column("Used") is not None]

    def row(names: tuple[str, ...], column: str, *, needed: bool) -> str:
        for table in sites:
            place, cells = table.column(column), table.row(*names)
            if cells is not None and place is not None:
                return cells[place]
        if needed:
            raise source.missing(f"field {names[0]} ({column})")
        return ""

    def usage(column: str) -> Usage:
        needed = column == "Used"

        def count(*names: str, also: bool = needed) -> int | None:
            return source.integer(names[0], row(names, column, needed=also))

        def muxes() -> int | None:
            seven, eight = count("F7 Muxes", also=False), count("F8 Muxes", also=False)
            if (seven is None) != (eight is None):
                raise source.missing(f"field {'F7' if seven is None else 'F8'} Muxes ({column})")
            return _sum(seven, eight)

        return Usage(
            lut=count(*LUT_ROWS),
            lutram=count("LUT as Memory"),
            ff=count(*FF_ROWS),
            muxf=muxes(),
            bram18=source.bram18("Block RAM Tile", row(("Block RAM Tile",), column, needed=needed)),
            dsp=count(*DSP_ROWS),
            uram=count("URAM", also=False),
            carry4=_primitive(source, found, "CARRY4") if needed else None,
        )

    return {"": usage("Used"), "available": usage("Available")}


def _sum(*parts: int | None) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _primitive(source: Source, found: list[ReportTable], name: str) -> int | None:
    for table in found:
        place, cells = table.column("Used"), table.row(name)
        if table.column("Ref Name") == 0 and place is not None and cells is not None:
            return source.integer(name, cells[place])
    return None


def _tree(source: Source, table: ReportTable) -> dict[str, Usage]:
    """Return usage by path; the first row is the design, rows in brackets are a module's own cells."""
    columns = {
        "lut": table.column("Total LUTs"),
        "lutram": table.column("LUTRAMs"),
        "srl": table.column("SRLs"),
        "ff": table.column("FFs"),
        "bram36": table.column("RAMB36"),
        "bram18": table.column("RAMB18"),
        "dsp": table.column("DSP Blocks", "DSP48 Blocks", "DSP Slices", "DSPs"),
        "uram": table.column("URAM"),
    }
    for name in ("lut", "ff", "bram36", "bram18", "dsp"):
        if columns[name] is None:
            raise source.missing(f"column {name} of the hierarchy")
    usages: dict[str, Usage] = {}
    parents: list[tuple[int, str]] = []
    for row in table.rows:
        name = row[0].strip()
        depth = len(row[0]) - len(row[0].lstrip())
        if name.startswith("("):
            continue
        while parents and parents[-1][0] >= depth:
            parents.pop()
        parents.append((depth, name))
        path = "/".join(part for _, part in parents[1:])
        cell = {key: None if at is None else source.integer(key, row[at]) for key, at in columns.items()}
        halves, whole = cell["bram18"], cell["bram36"]
        bram18 = None if halves is None or whole is None else 2 * whole + halves
        usages[path] = Usage(
            lut=cell["lut"],
            lutram=_sum(cell["lutram"], cell["srl"]),
            ff=cell["ff"],
            bram18=bram18,
            dsp=cell["dsp"],
            uram=cell["uram"],
        )
    if "" not in usages:
        raise source.missing("first row of the hierarchy")
    return usages


def read_power(source: Source) -> SynthReport:
    """Read ``report_power``: watts in total, dynamic and static."""
    check_contents(source)
    cells = {row[0].strip(): row[1] for table in tables(source) if table.section == "Summary" for row in table.rows}

    def watts(name: str) -> float | None:
        if name not in cells:
            raise source.missing(f"field {name}")
        # a note may follow, such as (Junction temp exceeded!), or the marks of a footnote
        return source.decimal(name, cells[name].partition("(")[0].strip().lstrip("<").rstrip("*"))

    return SynthReport(
        stage=stage_of(source, head(source, "Design State")),
        tool="Vivado",
        version=version(source),
        top=head(source, "Design"),
        part=head(source, "Device"),
        usage=Usage(),
        power=Power(watts("Total On-Chip Power (W)"), watts("Dynamic (W)"), watts("Device Static (W)")),
    )
