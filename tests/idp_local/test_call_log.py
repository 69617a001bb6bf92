"""The log of AWS calls: every call of a function, what it names, and nothing a user wrote."""

from __future__ import annotations

import pytest

from idp_finetuning.deployment import FunctionSpec
from idp_local.environment import aws_environment
from idp_local.functions.pool import WorkerPool
from idp_local.functions.service import Functions
from tests.support.local.call_log import FILE_NAME, AwsCall, naming
from tests.support.local.instrument import INSTRUMENT

HANDLER = """
import boto3
from botocore.config import Config
def handler(event, context):
    s3 = boto3.client("s3", config=Config(signature_version="s3v4", retries={"total_max_attempts": 1}))
    s3.generate_presigned_post(Bucket="b", Key="posted", Fields={"x-amz-meta-md5": "secret"}, Conditions=[])
    s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "linked"})
    s3.meta.events.register("before-send", lambda request, **_: event["answer"] and answer(event["answer"]))
    try:
        s3.put_object(Bucket="b", Key="put", Body=b"secret", Metadata={"Note": "secret"})
    except s3.exceptions.ClientError:
        pass
def answer(status):
    import io
    from botocore.awsrequest import AWSResponse
    class Raw(io.BytesIO):
        def stream(self, **_):
            yield b"<Error><Code>AccessDenied</Code></Error>"
    return AWSResponse("http://x", status, {}, Raw())
"""


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[AwsCall]:
    root = tmp_path_factory.mktemp("root")
    (root / "lambdas").mkdir()
    (root / "lambdas/__init__.py").touch()
    (root / "lambdas/resolver.py").write_text(HANDLER, encoding="utf-8")
    pool = WorkerPool(0, handler_root=root, log=root / "workers.log", instrument=INSTRUMENT)
    specs = (FunctionSpec(name="Resolver", variables=()),)
    functions = Functions(
        specs, prefix="p", pool=pool, values={}, endpoints=aws_environment("http://127.0.0.1:1"), logs=root
    )
    outcome = functions.invoke("p-resolver", {"answer": 403})
    pool.close()
    assert not outcome.failed, outcome.payload
    return [AwsCall.model_validate_json(line) for line in (root / FILE_NAME).read_text().splitlines()]


def test_calls_and_what_is_presigned_are_logged_with_their_function(calls: list[AwsCall]) -> None:
    assert [(call.function, call.service, call.operation, call.parameters) for call in calls] == [
        ("p-resolver", "s3", "PutObject", {"Bucket": "b", "Key": "posted"}),
        ("p-resolver", "s3", "GetObject", {"Bucket": "b", "Key": "linked"}),
        ("p-resolver", "s3", "PutObject", {"Bucket": "b", "Key": "put"}),
    ]


def test_a_refusal_is_logged_with_its_code(calls: list[AwsCall]) -> None:
    assert [call.error for call in calls] == [None, None, "AccessDenied"]


def test_what_a_user_wrote_leaves_no_request() -> None:
    transaction = {
        "TransactItems": [
            {
                "Put": {
                    "TableName": "jobs",
                    "Item": {"jobName": {"S": "secret"}, "Key": {"M": {"Bucket": {"S": "secret"}}}, "n": {"L": []}},
                    "ConditionExpression": "attribute_not_exists(id)",
                }
            }
        ]
    }
    assert naming(transaction) == {"TransactItems": [{"Put": {"TableName": "jobs"}}]}
    assert naming({"stateMachineArn": "arn", "name": "n", "input": '{"jobId": "secret"}'}) == {"stateMachineArn": "arn"}
    assert naming({"FunctionName": "f", "Payload": b"secret", "InvocationType": "Event"}) == {"FunctionName": "f"}
    assert naming({"Delete": {"Objects": [{"Key": "k", "VersionId": "1"}], "Quiet": True}}) == {
        "Delete": {"Objects": [{"Key": "k", "VersionId": "1"}]}
    }
