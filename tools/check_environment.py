"""Print OK or FAIL for everything the course needs, with the cure; exit 1 if anything fails.

Works where nothing of the course is installed: it reads utils/environment.py as a file.
"""

import importlib.util
import sys
from pathlib import Path


def load():
    file = Path(__file__).resolve().parents[1] / "utils" / "environment.py"
    spec = importlib.util.spec_from_file_location("course_environment", str(file))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def main():
    needs = load().check()
    for need in needs:
        print(f"OK    {need.need}" if need.ok else f"FAIL  {need.need}: {need.cure}.")
    return 0 if all(need.ok for need in needs) else 1


if __name__ == "__main__":
    sys.exit(main())
