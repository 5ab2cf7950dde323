"""Print the OpenAPI document of a compiled proto set that is read from stdin.

    buf build --as-file-descriptor-set -o - | python -m tools.gen_openapi VERSION > openapi.json

`tools/proto generate` does this and puts the result where the edge serves it from.
"""

import sys

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tools.openapi.document import render

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.stdout.write(render(FileDescriptorSet.FromString(sys.stdin.buffer.read()), sys.argv[1]))
