"""Local Amazon Bedrock: customization jobs that really train, custom models, deployments and Converse."""

from idp_local.bedrock.server import BedrockServer

__all__ = ["BedrockServer"]
