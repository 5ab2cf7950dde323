"""Which OpenAPI operation does each google.api.http rule make?"""

import re
from collections.abc import Collection, Iterator, Sequence

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, MethodDescriptorProto

from tools.openapi.descriptors import Declarations
from tools.openapi.schemas import Json, Schemas

HTTP_BODY = "google.api.HttpBody"
VARIABLE = re.compile(r"\{([^}=]+)(?:=[^}]*)?\}")

# The first half of a model's name, which is two segments of a path.
OWNER: Json = {
    "name": "owner",
    "in": "path",
    "required": True,
    "description": "The owner of the model: the part of its name before the slash.",
    "schema": {"type": "string"},
}


class Operations:
    """Makes operations, adding the schemas that they refer to."""

    def __init__(self, declarations: Declarations, schemas: Schemas) -> None:
        self._declarations = declarations
        self._schemas = schemas

    def of_service(self, service: str) -> Iterator[tuple[str, str, Json]]:
        """(path, HTTP method, operation) of each rule of each method of a service."""
        for method in self._declarations.services[service].method:
            if not method.options.HasExtension(annotations_pb2.http):
                continue
            first: http_pb2.HttpRule = method.options.Extensions[annotations_pb2.http]
            for number, rule in enumerate((first, *first.additional_bindings), start=1):
                verb = rule.WhichOneof("pattern")
                if verb is None or verb == "custom":
                    raise ValueError(f"{service}.{method.name}: only plain HTTP methods are known")
                path = _as_shown(getattr(rule, verb))
                operation = self._operation(service, method, rule, path)
                operation["operationId"] = method.name + (str(number) if number > 1 else "")
                yield path, verb, operation

    def _operation(
        self, service: str, method: MethodDescriptorProto, rule: http_pb2.HttpRule, path: str
    ) -> Json:
        comment = self._declarations.comment(f"{service}.{method.name}")
        request = method.input_type.lstrip(".")
        variables = VARIABLE.findall(path)
        parameters = [
            OWNER if name == "owner" else self._path_parameter(request, name) for name in variables
        ]
        operation: Json = {
            "operationId": method.name,
            "summary": _first_sentence(comment),
            "description": comment,
        }
        if rule.body == "*":
            if body := self._body(request, variables):
                operation["requestBody"] = body
        elif rule.body:
            if self._field(request, rule.body).type_name.lstrip(".") != HTTP_BODY:
                raise ValueError(f"{service}.{method.name}: a body is the whole request or bytes")
            operation["requestBody"] = {"required": True, "content": {"*/*": {"schema": {}}}}
            parameters += self._query(request, [*variables, rule.body])
        else:
            parameters += self._query(request, variables)
        if parameters:
            operation["parameters"] = parameters
        operation["responses"] = {"200": self._answer(method, rule)}
        if method.options.deprecated:
            operation["deprecated"] = True
        return operation

    def _path_parameter(self, request: str, name: str) -> Json:
        schema = self._schemas.field(self._field(request, name), request)
        description = schema.pop("description", "")
        return {
            "name": name,
            "in": "path",
            "required": True,
            "description": description,
            "schema": schema,
        }

    def _query(self, request: str, without: Collection[str], under: str = "") -> Iterator[Json]:
        """The parameters of a GET: what a message within the request says is `message.field`."""
        for field in self._declarations.messages[request].field:
            if field.name in without:
                continue
            if self._schemas.is_message(field):
                if under or field.label == FieldDescriptorProto.LABEL_REPEATED:
                    raise ValueError(f"{request}.{field.name}: a query has no such messages here")
                yield from self._query(field.type_name.lstrip("."), (), f"{field.name}.")
                continue
            schema = self._schemas.field(field, request)
            parameter: Json = {
                "name": f"{under}{field.name}",
                "in": "query",
                "description": schema.pop("description", ""),
                "schema": schema,
            }
            if self._schemas.is_required(field, request):
                parameter["required"] = True
            yield parameter

    def _body(self, request: str, variables: Collection[str]) -> Json | None:
        """The JSON body, or None where the path says all that there is to say."""
        schema = self._schemas.message(request, without=variables)
        if not schema["properties"]:
            return None
        # Other keys are refused: a typing error must not pay for the wrong picture.
        schema["additionalProperties"] = False
        for field in self._declarations.messages[request].field:
            name = field.type_name.rpartition(".")[2]
            if self._schemas.is_message(field) and name in self._schemas.used:
                self._schemas.used[name]["additionalProperties"] = False
        return {"required": True, "content": {"application/json": {"schema": schema}}}

    def _answer(self, method: MethodDescriptorProto, rule: http_pb2.HttpRule) -> Json:
        response = method.output_type.lstrip(".")
        if response == HTTP_BODY:
            return {"description": "The bytes.", "content": {"*/*": {"schema": {}}}}
        if rule.response_body:
            schema = self._schemas.reference(self._field(response, rule.response_body).type_name)
        else:
            schema = self._schemas.reference(method.output_type)
        if method.server_streaming:
            return {
                "description": "A stream, one JSON message per line or per event.",
                "content": {
                    "application/x-ndjson": {"schema": schema},
                    "text/event-stream": {"schema": schema},
                },
            }
        description = self._declarations.comment(response)
        return {"description": description, "content": {"application/json": {"schema": schema}}}

    def _field(self, message: str, name: str) -> FieldDescriptorProto:
        fields: Sequence[FieldDescriptorProto] = self._declarations.messages[message].field
        return next(field for field in fields if field.name == name)


def _as_shown(template: str) -> str:
    """The path as the document has it, where a variable is one segment: a model's name is two."""
    return VARIABLE.sub(r"{\1}", template.replace("{name=*/*}", "{owner}/{name}"))


def _first_sentence(comment: str) -> str:
    """The summary of an operation: its comment up to the first full stop."""
    line = comment.split("\n\n")[0].replace("\n", " ")
    return re.split(r"\.(?:\s|$)", line, maxsplit=1)[0]
