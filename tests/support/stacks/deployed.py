"""Reads a synthesized template as AWS would see it: references resolved, policies joined to their roles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

ACCOUNT = "123456789012"
REGION = "us-east-1"

Properties = dict[str, Any]


class Statement(NamedTuple):
    """One Allow statement of a role, its lists as sets."""

    actions: frozenset[str]
    resources: frozenset[str]
    conditions: Properties


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class Deployed:
    """A template with its references resolved to names; tables and buckets, which have none, are called by their
    construct, and the published version of a function is its first."""

    def __init__(self, template: dict[str, Any]) -> None:
        self.template = template
        self._resources: dict[str, dict[str, Any]] = template["Resources"]

    def raw(self, kind: str) -> list[dict[str, Any]]:
        """Resources of a CloudFormation type as they stand in the template, DependsOn and policies included."""
        return [resource for resource in self._resources.values() if resource["Type"] == kind]

    def of_type(self, kind: str) -> list[Properties]:
        """Resolved properties of all resources of a CloudFormation type."""
        return [self.resolve(resource.get("Properties", {})) for resource in self.raw(kind)]

    def only(self, kind: str) -> Properties:
        """The single resource of a type."""
        (properties,) = self.of_type(kind)
        return properties

    def named(self, kind: str, key: str) -> dict[str, Properties]:
        """Resources of a type by the value of one of their properties, where they have it."""
        return {properties[key]: properties for properties in self.of_type(kind) if key in properties}

    def buckets(self) -> dict[str, Properties]:
        """Buckets by construct, each with the statements of its policy under BucketPolicy."""
        policies = {policy["Bucket"]: policy["PolicyDocument"] for policy in self.of_type("AWS::S3::BucketPolicy")}
        return {
            self._ref(identifier): {
                **self.resolve(resource["Properties"]),
                "BucketPolicy": policies[self._ref(identifier)]["Statement"],
            }
            for identifier, resource in self._resources.items()
            if resource["Type"] == "AWS::S3::Bucket"
        }

    def tables(self) -> dict[str, Properties]:
        """Tables by construct."""
        return {
            self._ref(identifier): self.resolve(resource["Properties"])
            for identifier, resource in self._resources.items()
            if resource["Type"] == "AWS::DynamoDB::Table"
        }

    def outputs(self) -> dict[str, Any]:
        """Outputs by name."""
        return {name: self.resolve(output["Value"]) for name, output in self.template["Outputs"].items()}

    def statements(self, role_arn: str) -> list[Statement]:
        """What a role may do; inline, attached and managed policies."""
        return [
            Statement(
                frozenset(_listed(statement["Action"])),
                frozenset(_listed(statement["Resource"])),
                statement.get("Condition", {}),
            )
            for statement in self._documents(role_arn)
            if statement["Effect"] == "Allow"
        ]

    def function_statements(self, function_name: str) -> list[Statement]:
        """What a function may do."""
        return self.statements(self.named("AWS::Lambda::Function", "FunctionName")[function_name]["Role"])

    def trust(self, role_arn: str) -> list[dict[str, Any]]:
        """Return the trust policy of a role."""
        role = self._resources[self._identifier_of(role_arn)]["Properties"]
        document: list[dict[str, Any]] = self.resolve(role["AssumeRolePolicyDocument"])["Statement"]
        return document

    def roles(self) -> list[str]:
        """ARNs of all roles."""
        return [self._arn(identifier) for identifier, r in self._resources.items() if r["Type"] == "AWS::IAM::Role"]

    def _documents(self, role_arn: str) -> Iterator[dict[str, Any]]:
        identifier = self._identifier_of(role_arn)
        for policy in self._resources[identifier]["Properties"].get("Policies", []):
            yield from self.resolve(policy["PolicyDocument"])["Statement"]
        for resource in self.raw("AWS::IAM::Policy"):
            if {"Ref": identifier} in resource["Properties"].get("Roles", []):
                yield from self.resolve(resource["Properties"]["PolicyDocument"])["Statement"]

    def _identifier_of(self, role_arn: str) -> str:
        return next(identifier for identifier in self._resources if self._arn(identifier) == role_arn)

    def resolve(self, value: Any) -> Any:
        """Return a value with its Ref, GetAtt, Join and Sub resolved."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        match value:
            case {"Ref": str(name)}:
                return self._ref(name)
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return self._arn(name) if attribute in ("Arn", "TableArn") else f"{self._path(name)}.{attribute}"
            case {"Fn::Join": [str(separator), list(parts)]}:
                return separator.join(self.resolve(parts))
            case {"Fn::Sub": str(text)}:
                return text.replace("${AWS::AccountId}", ACCOUNT)
        return {key: self.resolve(item) for key, item in value.items()}

    def _ref(self, name: str) -> str:
        pseudo = {"AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": "aws"}
        if name in pseudo:
            return pseudo[name]
        kind, properties = self._resources[name]["Type"], self._resources[name].get("Properties", {})
        match kind:
            case "AWS::Lambda::Function":
                return str(properties["FunctionName"])
            case "AWS::Lambda::Version":
                return f"{self.resolve({'Fn::GetAtt': [properties['FunctionName']['Ref'], 'Arn']})}:1"
            case "AWS::StepFunctions::StateMachine":
                return self._arn(name)
        return self._path(name)

    def _arn(self, name: str) -> str:
        kind, properties = self._resources[name]["Type"], self._resources[name].get("Properties", {})
        match kind:
            case "AWS::S3::Bucket":
                return f"arn:aws:s3:::{self._path(name)}"
            case "AWS::DynamoDB::Table":
                return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{self._path(name)}"
            case "AWS::Lambda::Function":
                return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{properties['FunctionName']}"
            case "AWS::StepFunctions::StateMachine":
                return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{properties['StateMachineName']}"
            case "AWS::Logs::LogGroup":
                return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{self.resolve(properties['LogGroupName'])}:*"
            case "AWS::Cognito::UserPool":
                return f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{self._path(name)}"
        return f"arn:aws:{kind.split('::')[1].lower()}::{ACCOUNT}:{self._path(name)}"

    def _path(self, name: str) -> str:
        """The construct's name, for example DataBucket or jobs; of others than buckets and tables its path in the
        stack, for example Finetuning/Role."""
        path = str(self._resources[name]["Metadata"]["aws:cdk:path"]).removesuffix("/Resource")
        named = self._resources[name]["Type"] in ("AWS::S3::Bucket", "AWS::DynamoDB::Table")
        return path.split("/")[-1] if named else path.split("/", 1)[1]
