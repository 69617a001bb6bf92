"""Page accuracy of the local trainer: 5-fold by document, through CreateModelCustomizationJob and Converse."""

from __future__ import annotations

import logging
import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

from idp_finetuning.adapters.pages import open_document
from idp_finetuning.errors import DocumentRejected
from idp_finetuning.nova.prompt import DocumentClass, PageLabel, Prompt
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.training_data.examples import page_labels, training_record
from idp_local.bedrock import BedrockServer
from idp_sdk import LabelledDocument

FOLDS = 5
BUCKET = "bench-data"
BASE_MODEL = "amazon.nova-lite-v1:0:300k"
CREDENTIALS = {
    "aws_access_key_id": "testing",
    "aws_secret_access_key": "testing",
    "region_name": "us-east-1",
}

Page = tuple[int, PageLabel, bytes, str]  # document, label, JPEG, S3 key


def measure_local_trainer(documents: Sequence[LabelledDocument]) -> dict[str, Any]:
    """Measure accuracies over all folds; each page is classified once, by a model that saw no page of its document."""
    started = time.monotonic()
    pages = list(_read_pages(documents))
    prompt = Prompt(classes=tuple(DocumentClass(name=n) for n in sorted({p[1].class_name for p in pages})))
    fold_of = _deal_folds(pages)
    right: Counter[str] = Counter()
    with _servers() as (s3, bedrock, runtime):
        s3.create_bucket(Bucket=BUCKET)
        for _, _, jpeg, key in pages:
            s3.put_object(Bucket=BUCKET, Key=key, Body=jpeg)
        for fold in range(FOLDS):
            train = [p for p in pages if fold_of[p[0]] != fold]
            lines = [training_record(prompt, f"s3://{BUCKET}/{key}", label) for _, label, _, key in train]
            s3.put_object(Bucket=BUCKET, Key=f"fold{fold}/train.jsonl", Body=b"".join(lines))
            endpoint = _train(bedrock, fold)
            majority = Counter(p[1].class_name for p in train).most_common(1)[0][0]
            for document, label, jpeg, _ in pages:
                if fold_of[document] != fold:
                    continue
                answer = runtime.converse(**prompt.converse_request(endpoint, jpeg))
                said = prompt.read_answer(answer["output"]["message"]["content"][0]["text"])
                right["class"] += said is not None and said.class_name == label.class_name
                right["boundary"] += said is not None and said.boundary == label.boundary
                right["majority"] += majority == label.class_name
    return {
        "pages": len(pages),
        "documents": len(fold_of),
        "classes": len(prompt.classes),
        "pageAccuracy": round(right["class"] / len(pages), 4),
        "boundaryAccuracy": round(right["boundary"] / len(pages), 4),
        "majorityAccuracy": round(right["majority"] / len(pages), 4),
        "seconds": round(time.monotonic() - started, 1),
    }


def _read_pages(documents: Sequence[LabelledDocument]) -> Iterator[Page]:
    for number, document in enumerate(documents):
        sections = [Section(class_name=s.class_name, page_indices=s.page_indices) for s in document.sections]
        try:
            with open_document(document.read()) as source:
                for index, label in enumerate(page_labels(sections, source.page_count)):
                    yield number, label, source.jpeg(index), f"pages/{number}/{index + 1}.jpeg"
        except DocumentRejected as rejection:
            print(f"left out: {document.path}: {rejection.message}")


def _deal_folds(pages: Sequence[Page]) -> dict[int, int]:
    """Deal documents to folds class by class, in a seeded order."""
    class_of = {document: label.class_name for document, label, _, _ in reversed(pages)}
    shuffled = list(class_of)
    random.Random(0).shuffle(shuffled)
    ordered = sorted(shuffled, key=lambda d: class_of[d])
    return {document: position % FOLDS for position, document in enumerate(ordered)}


def _train(bedrock: Any, fold: int) -> str:
    """Train on the fold's records and return the ARN of the deployment."""
    bedrock.create_model_customization_job(
        jobName=f"fold-{fold}",
        customModelName=f"fold-{fold}",
        roleArn="arn:aws:iam::123456789012:role/bench",
        baseModelIdentifier=BASE_MODEL,
        customizationType="FINE_TUNING",
        trainingDataConfig={"s3Uri": f"s3://{BUCKET}/fold{fold}/train.jsonl"},
        outputDataConfig={"s3Uri": f"s3://{BUCKET}/fold{fold}/output/"},
        hyperParameters={"epochCount": "2", "learningRate": "0.00001", "learningRateWarmupSteps": "10"},
    )
    job = _wait_for(lambda: bedrock.get_model_customization_job(jobIdentifier=f"fold-{fold}"), "Completed")
    arn: str = bedrock.create_custom_model_deployment(
        modelDeploymentName=f"fold-{fold}", modelArn=job["outputModelArn"]
    )["customModelDeploymentArn"]
    _wait_for(lambda: bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=arn), "Active")
    return arn


def _wait_for(ask: Any, status: str) -> dict[str, Any]:
    while True:
        found: dict[str, Any] = ask()
        if found["status"] == status:
            return found
        if found["status"] == "Failed":
            raise RuntimeError(found.get("failureMessage"))
        time.sleep(0.1)


@contextmanager
def _servers() -> Iterator[tuple[Any, Any, Any]]:
    """Run S3 and Bedrock on this machine; yield boto3 clients: s3, bedrock, bedrock-runtime."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer(port=0, verbose=False)
    moto.start()
    try:
        host, port = moto.get_host_and_port()
        s3_url = f"http://{host}:{port}"
        os.environ |= {
            "AWS_ENDPOINT_URL": s3_url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        with BedrockServer(port=0, seconds_per_phase=0.05) as bedrock:
            make: Any = boto3.client
            retry = Config(retries={"total_max_attempts": 1}, read_timeout=120)
            yield (
                make("s3", endpoint_url=s3_url, config=retry, **CREDENTIALS),
                make("bedrock", endpoint_url=bedrock.url, config=retry, **CREDENTIALS),
                make("bedrock-runtime", endpoint_url=bedrock.url, config=retry, **CREDENTIALS),
            )
    finally:
        moto.stop()
