"""What importing a module does."""

import subprocess
import sys

from tests.test_house_rules import MODULES

WATCH = """
import importlib, sys
def hook(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    listens = event == "socket.bind" and arguments[1][1]  # urllib3 binds port 0 to see whether there is IPv6
    if writes or listens or event in {"socket.connect", "subprocess.Popen", "os.system", "os.mkdir"}:
        print(event, arguments, file=sys.stderr)
        sys.exit(1)
sys.dont_write_bytecode = True
sys.addaudithook(hook)
for module in sys.argv[1:]:
    importlib.import_module(module)
"""


def test_importing_opens_no_socket_writes_no_file_and_starts_nothing() -> None:
    modules = [module for module in MODULES if not module.endswith("__main__")]
    done = subprocess.run([sys.executable, "-c", WATCH, *modules], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
