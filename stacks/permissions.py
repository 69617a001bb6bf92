"""What each function may do: one table with the policy statements of every function."""

from __future__ import annotations

from collections.abc import Mapping

from idp_finetuning.deployment import DELETION, EVALUATION, FINETUNING
from stacks.arns import Arns
from stacks.definitions import called_functions
from stacks.options import DeploymentOptions
from stacks.statements import ANYTHING, Allow

LISTS_OF_BEDROCK = tuple(
    f"bedrock:List{things}" for things in ("ModelCustomizationJobs", "CustomModels", "CustomModelDeployments")
)
LIST_TRAININGS = Allow(("bedrock:ListModelCustomizationJobs",), ANYTHING)
LIST_DEPLOYMENTS = Allow(("bedrock:ListCustomModelDeployments",), ANYTHING)


def function_permissions(arns: Arns, options: DeploymentOptions) -> Mapping[str, tuple[Allow, ...]]:
    """Return the statements by function name, without those every function has (its log group, tracing)."""
    read_job = Allow(("dynamodb:GetItem",), (arns.jobs_table,))
    # Each event of the job's history, a transition for example, is an item of its own.
    move_job = Allow(("dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:PutItem"), (arns.jobs_table,))
    customization_jobs = arns.bedrock("model-customization-job/*")
    models = arns.bedrock("custom-model/*")
    deployments = arns.bedrock("custom-model-deployment/*")
    stop_training = (
        Allow(("bedrock:StopModelCustomizationJob",), (customization_jobs,)),
        # What has no ARN in its record is found by the list: how Bedrock answers an absent name is not known.
        LIST_TRAININGS,
    )
    read_training = Allow(("bedrock:GetModelCustomizationJob",), (customization_jobs,))
    # Without this S3 returns 403 instead of 404 for an absent object (S3 API reference, GetObject).
    list_data = Allow(("s3:ListBucket",), (arns.data_bucket,))
    list_data_versions = Allow(("s3:ListBucketVersions",), (arns.data_bucket,))
    remove_data = (
        list_data_versions,
        # Deleting a version takes both (S3 API reference, DeleteObjects).
        Allow(("s3:DeleteObject", "s3:DeleteObjectVersion"), (arns.data_objects("jobs/*"),)),
    )
    baselines = (arns.data_objects("evaluations/*/records/*"),)
    read_baselines = Allow(("s3:GetObject",), baselines)
    end_baselines = Allow(("s3:GetObject", "s3:PutObject"), baselines)  # a conditional write reads too
    list_test_sets = Allow(("s3:ListBucket",), (arns.test_set_bucket,))
    read_labels = (
        list_test_sets,
        # Of documents only the beginning, if their names do not say what they are; a HEAD request needs it too.
        Allow(
            ("s3:GetObject",),
            (
                arns.test_set_objects("*/baseline/*"),
                arns.test_set_objects("*/input/*"),
                # What a test set held when it was completed.
                arns.test_set_objects("*/.complete/*"),
            ),
        ),
        *_decrypt_test_sets(options),
        list_data,
        Allow(("s3:GetObject", "s3:PutObject"), (arns.data_objects("validation/*.json"),)),
    )
    read_page_counts = Allow(("s3:GetObject",), (arns.data_objects("validation/*.pages"),))
    read_documents = (
        list_test_sets,
        Allow(("s3:GetObject",), (arns.test_set_objects("*/input/*"), arns.test_set_objects("*/baseline/*/pages/*"))),
        *_decrypt_test_sets(options),
    )
    return {
        "Resolver": (
            Allow(
                ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"), (arns.jobs_table, arns.test_sets_table)
            ),
            # The table itself: the history of a job.
            Allow(
                ("dynamodb:Query",),
                (
                    arns.jobs_table,
                    arns.jobs_indexes,
                    arns.test_sets_by_creation,
                ),
            ),
            Allow(("dynamodb:BatchGetItem",), (arns.jobs_table, arns.test_sets_table)),
            Allow(("dynamodb:Scan",), (arns.jobs_by_deployment,)),
            Allow(
                ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"),
                (arns.config_versions_table,),
            ),
            Allow(("dynamodb:Query",), (arns.config_versions_by_creation,)),
            Allow(("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"), (arns.users_table,)),
            # To list users and show their groups; the pool is never written.
            Allow(
                ("cognito-idp:ListUsers", "cognito-idp:AdminGetUser", "cognito-idp:AdminListGroupsForUser"),
                (arns.user_pool,),
            ),
            *read_labels,
            read_page_counts,
            Allow(("s3:GetObject", "s3:PutObject"), (arns.data_objects("validation/*.reading"),)),
            *_write_test_sets(arns, options),
            # Reports of data sets, trainings and evaluations, by the end of the key: a policy has a maximum size.
            Allow(
                ("s3:GetObject",),
                tuple(
                    map(
                        arns.data_objects,
                        ("*/report.json", "*/pages.jsonl", "jobs/*/dataset/documents.jsonl", "jobs/*/prompt.json"),
                    )
                ),
            ),
            # Of evaluations before any job; a conditional write reads too (S3 API reference, PutObject).
            Allow(("s3:GetObject", "s3:PutObject"), (arns.data_objects("evaluations/*/records/*"),)),
            Allow(
                ("states:StartExecution",),
                tuple(arns.state_machine(name) for name in (FINETUNING, DELETION, EVALUATION)),
            ),
            Allow(("states:DescribeExecution",), (arns.executions(DELETION), arns.executions(EVALUATION))),
            Allow(
                ("lambda:InvokeFunction",),
                tuple(
                    arns.function(name) for name in ("ReadLabels", "CountPages", "ClassifyDocument", "DeleteTestSet")
                ),
            ),
            # Which classifications of a user run; a conditional write reads too (S3 API reference, PutObject).
            Allow(
                ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"), (arns.data_objects("classifications/running/*"),)
            ),
            Allow(
                ("s3:PutObject",),
                (arns.data_objects("classifications/*/request.json"), arns.data_objects("classifications/uploads/*")),
            ),
            Allow(
                ("s3:GetObject",),
                (
                    arns.data_objects("classifications/*/request.json"),
                    arns.data_objects("classifications/*/progress.json"),
                    arns.data_objects("classifications/*/result.json"),
                ),
            ),
            Allow(("bedrock:ListFoundationModels",), ANYTHING),
            LIST_DEPLOYMENTS,
            # Stopping a job stops its training; a retry reads the training and the deployment.
            *stop_training,
            read_training,
            Allow(("bedrock:GetCustomModelDeployment",), (deployments,)),
        ),
        "ReadLabels": read_labels,
        "CountPages": (
            list_test_sets,
            # Of test sets that were completed here: those of an attached bucket are not counted.
            Allow(("s3:GetObject",), (arns.test_set_objects("*/input/*"), arns.test_set_objects("*/.complete/*"))),
            list_data,
            Allow(
                ("s3:GetObject", "s3:PutObject"),
                (arns.data_objects("validation/*.pages"), arns.data_objects("validation/*.counting")),
            ),
            # Continues in another run of itself.
            Allow(("lambda:InvokeFunction",), (arns.function("CountPages"),)),
        ),
        "DeleteTestSet": (
            Allow(("dynamodb:GetItem", "dynamodb:DeleteItem"), (arns.test_sets_table,)),
            *_remove_test_sets(arns, options),
            list_data_versions,
            Allow(
                ("s3:DeleteObject", "s3:DeleteObjectVersion"),
                (arns.data_objects("validation/*"), arns.data_objects("evaluations/*")),
            ),
        ),
        "ValidateTestSet": (
            move_job,
            Allow(("dynamodb:GetItem",), (arns.test_sets_table,)),
            *read_labels,
            read_page_counts,
            Allow(
                ("s3:PutObject",), (arns.data_objects("jobs/*/manifest.json"), arns.data_objects("jobs/*/prompt.json"))
            ),
            # Counts resources to warn of quotas that are nearly full.
            Allow(("bedrock:ListFoundationModels", *LISTS_OF_BEDROCK, "servicequotas:ListServiceQuotas"), ANYTHING),
            # Leaves the API its part of the account's concurrency, which the jobs that convert documents share.
            Allow(("lambda:GetAccountSettings",), ANYTHING),
            Allow(("dynamodb:Query",), (arns.unfinished_jobs,)),
        ),
        "GenerateExample": (
            read_job,
            *read_documents,
            Allow(("s3:GetObject",), (arns.data_objects("jobs/*/prompt.json"),)),
            Allow(("s3:PutObject",), (arns.data_objects("jobs/*/pages/*"), arns.data_objects("jobs/*/examples/*"))),
        ),
        "RejectDocument": (Allow(("s3:PutObject",), (arns.data_objects("jobs/*/rejected/*"),)),),
        "AssembleDataset": (
            move_job,
            list_data,
            Allow(
                ("s3:GetObject",),
                tuple(arns.data_objects(f"jobs/*/{part}") for part in ("manifest.json", "examples/*", "rejected/*")),
            ),
            Allow(("s3:PutObject",), (arns.data_objects("jobs/*/dataset/*"),)),
            Allow(("s3:AbortMultipartUpload",), (arns.data_objects("jobs/*/dataset/*.jsonl"),)),
        ),
        "CreateCustomizationJob": (
            move_job,
            Allow(("bedrock:CreateModelCustomizationJob",), (*arns.foundation_models, models, customization_jobs)),
            # Not on foundation models, which cannot be tagged (service authorization reference, Bedrock, TagResource).
            Allow(("bedrock:TagResource",), (models, customization_jobs)),
            # What exists under the name is adopted if it is the job's.
            *stop_training,
            read_training,
            Allow(("bedrock:ListTagsForResource",), (customization_jobs,)),
            Allow(
                ("iam:PassRole",),
                (arns.bedrock_role,),
                {"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}},
            ),
        ),
        "GetCustomizationJob": (
            move_job,
            read_training,
            # Puts Bedrock's record counts into the report of the data set, and keeps the loss curve.
            list_data,
            Allow(
                ("s3:GetObject",),
                (
                    arns.data_objects("jobs/*/output/*/manifest.report.csv"),
                    arns.data_objects("jobs/*/output/*_metrics.csv"),
                    arns.data_objects("jobs/*/dataset/report.json"),
                ),
            ),
            Allow(
                ("s3:PutObject",),
                (arns.data_objects("jobs/*/dataset/report.json"), arns.data_objects("jobs/*/training/report.json")),
            ),
        ),
        "CreateModelDeployment": (
            move_job,
            Allow(("bedrock:CreateCustomModelDeployment", "bedrock:TagResource"), (models, deployments)),
            LIST_DEPLOYMENTS,
            # A failed deployment of an earlier attempt is deleted first.
            Allow(("bedrock:DeleteCustomModelDeployment",), (deployments,)),
            # Waits until the model is ready.
            Allow(("bedrock:GetCustomModel",), (models,)),
        ),
        "GetModelDeployment": (read_job, Allow(("bedrock:GetCustomModelDeployment",), (deployments,))),
        "CompleteJob": (move_job, Allow(("states:StartExecution",), (arns.state_machine(EVALUATION),))),
        "EndJob": (move_job, *stop_training),
        "ReconcileJobs": (
            move_job,
            Allow(("dynamodb:Query",), (arns.unfinished_jobs,)),
            Allow(
                ("states:DescribeExecution",),
                tuple(arns.executions(name) for name in (FINETUNING, DELETION, EVALUATION)),
            ),
            Allow(
                ("states:StartExecution",),
                tuple(arns.state_machine(name) for name in (FINETUNING, DELETION, EVALUATION)),
            ),
            # Deletes versions of functions that no execution calls any more; never a function, which has no number.
            Allow(
                ("states:DescribeStateMachine",),
                tuple(arns.state_machine(name) for name in (FINETUNING, DELETION, EVALUATION)),
            ),
            Allow(("lambda:ListVersionsByFunction",), tuple(map(arns.function, called_functions()))),
            Allow(("lambda:DeleteFunction",), tuple(f"{arns.function(name)}:*" for name in called_functions())),
            Allow(("bedrock:StopModelCustomizationJob",), (customization_jobs,)),
            read_training,
            Allow(LISTS_OF_BEDROCK, ANYTHING),
            Allow(("bedrock:ListTagsForResource",), (customization_jobs, models, deployments)),
            # Starts deletions of test sets again that were lost.
            Allow(("dynamodb:GetItem", "dynamodb:UpdateItem"), (arns.test_sets_table,)),
            Allow(("dynamodb:Query",), (arns.test_sets_by_creation,)),
            Allow(("lambda:InvokeFunction",), (arns.function("DeleteTestSet"),)),
            # Deletes what a function wrote after its job was deleted.
            Allow(("dynamodb:Query",), (arns.jobs_by_creation,)),
            list_data,
            *remove_data,
            *_send_mail(arns, options),
        ),
        "DeleteModelDeployment": (
            read_job,
            *stop_training,
            LIST_DEPLOYMENTS,
            Allow(("bedrock:DeleteCustomModelDeployment",), (deployments,)),
        ),
        "DeleteCustomModel": (
            read_job,
            Allow(("bedrock:ListCustomModels",), ANYTHING),
            Allow(("bedrock:DeleteCustomModel",), (models,)),
        ),
        "ClassifyDocument": (
            *read_documents,
            list_data,
            Allow(
                ("s3:GetObject",),
                (arns.data_objects("classifications/*/request.json"), arns.data_objects("classifications/uploads/*")),
            ),
            *_run_classification(arns, answers=True),
            # Its next run, and what Lambda tells of a run that it gives up.
            Allow(("lambda:InvokeFunction",), tuple(map(arns.function, ("ClassifyDocument", "EndClassification")))),
            # Custom models too: of the policies that AWS publishes for on-demand deployments, some name the model
            # beside its deployment, and a refusal would come after training.
            Allow(("bedrock:InvokeModel",), (*arns.invocable_models, models)),
        ),
        "PrepareEvaluation": (
            read_job,
            Allow(("dynamodb:GetItem",), (arns.config_versions_table, arns.test_sets_table)),
            *read_labels,
            read_page_counts,
            Allow(
                ("s3:GetObject",),
                tuple(
                    arns.data_objects(f"jobs/*/{part}")
                    for part in (
                        "manifest.json",
                        "prompt.json",
                        "dataset/documents.jsonl",
                        "examples/train/*",
                    )
                ),
            ),
            read_baselines,
            Allow(("s3:GetObject",), arns.evaluation_objects("*/plan.json")),
            Allow(("s3:PutObject",), arns.evaluation_objects("*/plan.json", "*/documents.json")),
            Allow(("s3:GetObject", "s3:PutObject"), (arns.data_objects("jobs/*/evaluation/trained-pages.json"),)),
        ),
        "EvaluateDocument": (
            read_job,
            # The documents of another test set, and the texts of pages for prompts that need them.
            *read_documents,
            list_data,
            read_baselines,
            Allow(
                ("s3:GetObject",),
                tuple(map(arns.data_objects, ("jobs/*/pages/*", "jobs/*/evaluation/trained-pages.json"))),
            ),
            Allow(("s3:GetObject",), arns.evaluation_objects("*/plan.json")),
            # A conditional write reads too (S3 API reference, PutObject).
            Allow(("s3:GetObject", "s3:PutObject"), arns.evaluation_objects("drawn/*", "answers/*", "*/answered/*")),
            Allow(("bedrock:InvokeModel",), (*arns.invocable_models, models)),
        ),
        "ScoreEvaluation": (
            move_job,
            list_data,
            Allow(("s3:GetObject",), arns.evaluation_objects("*/plan.json", "*/documents.json", "*/answered/*")),
            Allow(("s3:PutObject",), arns.evaluation_objects("*/report.json", "*/pages.jsonl")),
            Allow(("s3:PutObject",), (arns.data_objects("evaluations/*/judged/*"),)),
            end_baselines,
        ),
        "EndEvaluation": (move_job, list_data, end_baselines),
        "EndClassification": (list_data, *_run_classification(arns, answers=False)),
        "DeleteJobData": (
            Allow(("dynamodb:GetItem", "dynamodb:Query", "dynamodb:DeleteItem"), (arns.jobs_table,)),
            *remove_data,
        ),
    }


def _run_classification(arns: Arns, *, answers: bool) -> tuple[Allow, ...]:
    """Return what a run of a classification needs to hold its lease, and to add answers if it does so."""
    progress, pages, result = (
        arns.data_objects(f"classifications/*/{part}") for part in ("progress.json", "pages/*", "result.json")
    )
    return (
        Allow(("s3:GetObject",), (progress, pages)),
        Allow(("s3:PutObject",), (progress, result, *([pages] if answers else []))),
    )


def _send_mail(arns: Arns, options: DeploymentOptions) -> tuple[Allow, ...]:
    """Return what sends e-mail from one address only.

    Any identity: the sender's may be its address or its domain, and in SES's sandbox the recipient's is asked for too.
    """
    if not options.notification_sender:
        return ()
    sender = {"StringEquals": {"ses:FromAddress": options.notification_sender}}
    return (Allow(("ses:SendEmail",), (arns.mail_identities,), sender),)


def _decrypt_test_sets(options: DeploymentOptions) -> tuple[Allow, ...]:
    key = options.test_set_bucket_kms_key_arn
    if not key:
        return ()
    through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{options.region}.amazonaws.com"}}
    return (Allow(("kms:Decrypt",), (key,), through_s3),)


def _write_test_sets(arns: Arns, options: DeploymentOptions) -> tuple[Allow, ...]:
    """For presigned uploads, what was announced and completed, and the prefix of a new test set, which is emptied.

    An attached bucket is never written.
    """
    if options.test_set_bucket_name:
        return ()
    return (
        Allow(("s3:GetObject",), (arns.test_set_objects("*/.announced/*"),)),
        Allow(
            ("s3:PutObject",),
            (
                arns.test_set_objects("*/input/*"),
                arns.test_set_objects("*/baseline/*"),
                arns.test_set_objects("*/.uploading"),
                arns.test_set_objects("*/.announced/*"),
                arns.test_set_objects("*/.complete/*"),
            ),
        ),
        *_remove_test_sets(arns, options),
    )


def _remove_test_sets(arns: Arns, options: DeploymentOptions) -> tuple[Allow, ...]:
    if options.test_set_bucket_name:
        return ()
    return (
        Allow(("s3:ListBucketVersions",), (arns.test_set_bucket,)),
        # Everything below the prefix of a test set, including files that other tools uploaded.
        Allow(("s3:DeleteObject", "s3:DeleteObjectVersion"), (arns.test_set_objects("*/*"),)),
    )
