"""Receive Action Units over OSC: the other end of ``livefacs live --to osc://127.0.0.1:9000``.

    python osc_receiver.py 9000        # prints until Ctrl-C
    python osc_receiver.py 9000 30     # … or until so many values came

Only python-osc is needed, so this runs where livefacs is not installed.
"""

import sys

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer


def main(port: int, n_values: float = float("inf")) -> None:
    received = 0

    def show(address: str, *values: object) -> None:
        nonlocal received
        received += 1
        print(address, *values)

    dispatcher = Dispatcher()
    dispatcher.map("/livefacs/*", show)
    dispatcher.set_default_handler(show)
    with BlockingOSCUDPServer(("127.0.0.1", port), dispatcher) as server:
        print(f"listening on 127.0.0.1:{server.server_address[1]}", flush=True)
        while received < n_values:
            server.handle_request()


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(float, sys.argv[2:3]))
