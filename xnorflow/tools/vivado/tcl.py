"""Vivado HLS, Vitis HLS and Vivado: the Tcl and the command line of a run, and the reports it leaves.

Pure functions from a ``HlsJob`` to files and argv; ``synth.py`` writes, runs and reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from xnorflow.base.device import device_of, orderable
from xnorflow.base.errors import ConfigError

PROJECT = "hls"
SOLUTION = "solution1"
MARK = "XNORFLOW"
HLS_TOOLS = {"Vivado": ("vivado_hls",), "Vitis": ("vitis_hls", "vitis-run")}
LEVELS = ("none", "synthesise", "implement")


@dataclass(frozen=True)
class HlsJob:
    """What to do with one hls4ml project.

    Attributes:
        sources: folder of the hls4ml project.
        top: top function.
        part: orderable part name.
        clock_mhz: target clock.
        csim: run the C simulation.
        cosim: run the generated Verilog against the C testbench.
        export: pack an IP.
        vivado: how far Vivado goes on, out of context: "none", "synthesise" or "implement".
    """

    sources: Path
    top: str
    part: str
    clock_mhz: float
    csim: bool = True
    cosim: bool = False
    export: bool = False
    vivado: str = "none"

    def __post_init__(self) -> None:
        device_of(self.part)
        if not re.fullmatch(r"[A-Za-z_]\w*", self.top):
            raise ConfigError(f"top must be the name of a C function, got {self.top!r}")
        if not self.clock_mhz > 0:
            raise ConfigError(f"clock_mhz must be above 0, got {self.clock_mhz!r}")
        if self.vivado not in LEVELS:
            raise ConfigError(f"vivado must be {' or '.join(LEVELS)}, got {self.vivado!r}")

    @property
    def period_ns(self) -> str:
        """Clock period as Tcl takes it."""
        return f"{1000 / self.clock_mhz:.3f}"

    @property
    def steps(self) -> tuple[str, ...]:
        """Steps of the HLS tool, in order."""
        wanted = {"csim": self.csim, "csynth": True, "cosim": self.cosim, "export": self.export}
        return tuple(step for step, on in wanted.items() if on)


@dataclass(frozen=True)
class ToolPlan:
    """One run of one program.

    Attributes:
        tool: program name, as ``tools.require_tool`` finds it.
        arguments: what follows the program.
        files: text of the files to write before, by name in the working folder.
        reports: what the run leaves, in the working folder.
    """

    tool: str
    arguments: tuple[str, ...]
    files: dict[str, str]
    reports: tuple[Path, ...]


def quote(text: str | Path) -> str:
    """Return a Tcl word that stands for ``text``, whatever is in it."""
    words = re.sub(r'([\\\s"\[\]{}$;#])', r"\\\1", str(text))
    return words or "{}"


def plan_hls(job: HlsJob, tool: str) -> ToolPlan:
    """Return the run of ``vivado_hls``, ``vitis_hls`` or ``vitis-run``.

    Raises:
        ConfigError: another tool.
    """
    if tool not in {name for names in HLS_TOOLS.values() for name in names}:
        raise ConfigError(f"the HLS tool must be vivado_hls, vitis_hls or vitis-run, got {tool!r}")
    script = "hls.tcl"
    arguments = ("--mode", "hls", "--tcl", script) if tool == "vitis-run" else ("-f", script)
    report = Path(PROJECT) / SOLUTION / "syn/report"
    reports = (report / f"{job.top}_csynth.xml", report / f"{job.top}_csynth.rpt")
    return ToolPlan(tool, arguments, {script: _hls_tcl(job, tool)}, reports)


def _hls_tcl(job: HlsJob, tool: str) -> str:
    """Return the script. A step that fails is named in a line of its own before the tool ends."""
    flow = "" if tool == "vivado_hls" else " -flow_target vivado"
    testbench = quote(job.sources / f"{job.top}_test.cpp")
    lines = [
        "proc xnorflow_step {name body} {",
        f'    puts "{MARK} STEP $name"',
        "    flush stdout",
        "    if {[catch {uplevel 1 $body} message]} {",
        f'        puts "{MARK} FAILED $name: $message"',
        "        exit 2",
        "    }",
        "}",
        f"open_project -reset {PROJECT}",
        f"set_top {job.top}",
        f'add_files {quote(job.sources / "firmware" / f"{job.top}.cpp")} -cflags "-std=c++0x"',
        f'add_files -tb {testbench} -cflags "-std=c++0x"',
        f"add_files -tb {quote(job.sources / 'firmware' / 'weights')}",
        f"add_files -tb {quote(job.sources / 'tb_data')}",
        f"open_solution -reset{flow} {SOLUTION}",
        f"set_part {orderable(job.part).lower()}",
        f"create_clock -period {job.period_ns} -name default",
        "config_compile -name_max_length 80",
    ]
    if tool == "vivado_hls":
        # as the script of hls4ml has it; a version without this option goes on
        lines.append("catch {config_array_partition -maximum_size 4096}")
    commands = {
        "csim": "csim_design",
        "csynth": "csynth_design",
        "cosim": f'add_files -tb {testbench} -cflags "-std=c++0x -DRTL_SIM"; cosim_design -rtl verilog',
        "export": "export_design -format ip_catalog",
    }
    lines += [f"xnorflow_step {step} {{{commands[step]}}}" for step in job.steps]
    return "\n".join([*lines, f'puts "{MARK} DONE"', "exit 0"]) + "\n"


def plan_vivado(job: HlsJob) -> ToolPlan:
    """Return the out-of-context run of Vivado over the Verilog that HLS wrote."""
    stages = ["synth"] + (["routed"] if job.vivado == "implement" else [])
    kinds = ("utilization", "timing")
    reports = [Path(f"{job.top}_{kind}_{stage}.rpt") for stage in stages for kind in kinds]
    if job.vivado == "implement":
        reports.append(Path(f"{job.top}_power_routed.rpt"))
    files = {
        "vivado.tcl": _vivado_tcl(job),
        "clock.xdc": f"create_clock -period {job.period_ns} -name ap_clk [get_ports ap_clk]\n",
    }
    arguments = ("-mode", "batch", "-nojournal", "-log", "vivado_own.log", "-source", "vivado.tcl")
    return ToolPlan("vivado", arguments, files, tuple(reports))


def _vivado_tcl(job: HlsJob) -> str:
    verilog = f"{PROJECT}/{SOLUTION}/syn/verilog"
    lines = [
        f'puts "{MARK} STEP synthesise"',
        f"create_project -in_memory -part {orderable(job.part).lower()}",
        f"add_files {verilog}",
        "read_xdc -mode out_of_context clock.xdc",
        f"synth_design -mode out_of_context -top {job.top} -part {orderable(job.part).lower()}",
        *_vivado_reports(job, "synth"),
    ]
    if job.vivado == "implement":
        lines += [
            f'puts "{MARK} STEP place"',
            "opt_design",
            "place_design",
            f'puts "{MARK} STEP route"',
            "route_design",
            *_vivado_reports(job, "routed"),
            f"report_power -file {job.top}_power_routed.rpt",
        ]
    return "\n".join([*lines, f'puts "{MARK} DONE"', "exit 0"]) + "\n"


def _vivado_reports(job: HlsJob, stage: str) -> list[str]:
    return [
        f"report_utilization -file {job.top}_utilization_{stage}.rpt",
        f"report_timing_summary -file {job.top}_timing_{stage}.rpt",
    ]


# what a log says, and what it means; the first that is found counts
FAILURES = (
    (r"(?i)no space left on device", "the disk is full; free some space"),
    (
        r"(?i)licen[cs]e.{0,80}(not found|failed|checkout|expired|invalid|denied|could not)|flexlm|lmgrd"
        r"|(failed|unable) to (get|obtain|check ?out) .{0,20}licen[cs]e",
        "no licence was granted; check XILINXD_LICENSE_FILE and that it covers this part",
    ),
    (
        # a system short of memory kills what takes most of it; other signals are faults of the tool
        r"(?i)std::bad_alloc|out of memory|cannot allocate memory|memory exhausted"
        r"|\bkilled\b(?! by SIG(?!KILL\b))|failed with exit code 137\b",
        "it ran out of memory; raise the reuse factors or take a machine with more",
    ),
    (
        r"(?i)part .{0,40}(is not installed|not found|not supported)|unknown part|no parts matched",
        "the part is not installed in this tool; add its device family with the installer",
    ),
    (
        r"over-utilized|Place 30-640|requires more .{0,80} than are available",
        "the design is larger than the part; raise the reuse factors (see xnorflow fit) or take a larger part",
    ),
    (
        r"(?i)csim failed|C simulation failed|\[SIM 211-100\]|undefined reference|fatal error: ",
        "the C simulation failed; the log has what the compiler or the testbench said",
    ),
    (
        r"(?i)loop .{0,80}unroll.{0,80}(too large|large runtime)|too many (elements|partitions)|XFORM 203-504",
        "a layer is too large to unroll; raise its reuse factor or take strategy Resource",
    ),
)


def explain(log: str) -> str | None:
    """Return what a failed run's log means, with how to mend it; None where it is not known."""
    for pattern, meaning in FAILURES:
        if re.search(pattern, log):
            return meaning
    return None


def step_of(line: str) -> str | None:
    """Return the step that a line of the log starts, or None."""
    match = re.match(rf"^{MARK} STEP (\w+)\s*$", line)
    return match.group(1) if match else None
