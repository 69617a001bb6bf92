"""A small Bedrock of our own: fine-tuning jobs that really train, deployments, and Converse, on this machine."""

from idp_local.bedrock.server import BedrockServer

__all__ = ["BedrockServer"]
