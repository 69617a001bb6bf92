"""The AWS stack: constructs by subject, wired in finetuning_stack."""
