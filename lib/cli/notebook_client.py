"""Executes one notebook: notebook_client.py IN OUT KERNEL SECONDS_PER_CELL (0: no limit).

Prints one JSON object a line: {"event": "start", "cells"}, {"event": "cell", "cell"}, {"event": "text", "text"},
{"event": "failed", "cell", "name", "message", "trace"}, {"event": "done"}. Cells count from 1, text cells included.
OUT is written only when every cell ran. Exit status 0, or 1 when a cell failed.
"""

import json
import queue
import signal
import sys

import nbformat
from jupyter_core.utils import ensure_async
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError


class Client(NotebookClient):
    """The Deno kernel may send outputs after it says that it is idle; they are awaited here."""

    async def _async_poll_output_msg(self, parent_msg_id, cell, cell_index):
        await super()._async_poll_output_msg(parent_msg_id, cell, cell_index)
        while True:
            try:
                message = await ensure_async(self.kc.iopub_channel.get_msg(timeout=0.25))
            except queue.Empty:
                return
            if message["parent_header"].get("msg_id") == parent_msg_id and message["msg_type"] != "status":
                self.process_message(message, cell, cell_index)

    def process_message(self, message, cell, cell_index):
        if message["msg_type"] == "stream":
            tell("text", text=message["content"]["text"])
        return super().process_message(message, cell, cell_index)


def tell(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def interrupt(number, frame):
    raise KeyboardInterrupt


def main(source, target, kernel, seconds):
    notebook = nbformat.read(source, as_version=4)
    current = {"cell": 0}

    def on_start(cell, cell_index):
        current["cell"] = cell_index + 1
        if cell.cell_type == "code":
            tell("cell", cell=cell_index + 1)

    client = Client(
        notebook,
        kernel_name=kernel,
        timeout=float(seconds) or None,
        record_timing=False,
        on_cell_start=on_start,
        resources={"metadata": {"path": source.rpartition("/")[0]}},
    )
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    tell("start", cells=sum(cell.cell_type == "code" for cell in notebook.cells))
    try:
        client.execute()
    except (CellControlSignal, DeadKernelError) as error:
        outputs = notebook.cells[current["cell"] - 1].get("outputs", [])
        shown = [output for output in outputs if output.output_type == "error"]
        name = shown[-1].ename if shown else getattr(error, "ename", type(error).__name__)
        message = shown[-1].evalue if shown else getattr(error, "evalue", str(error))
        trace = "\n".join(shown[-1].traceback) if shown else ""
        tell("failed", cell=current["cell"], name=name, message=message, trace=trace)
        return 1
    nbformat.write(notebook, target)
    tell("done")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupt)
    try:
        sys.exit(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
