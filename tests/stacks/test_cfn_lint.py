"""cfn-lint finds nothing in the templates, by the configuration in the project's root."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.stacks.synthesis import ROOT, assembled

OTHERWISE = {
    "testSetBucketName": "accelerator-test-sets",
    "userPoolId": "us-east-1_AbCdEf123",
    "alarmEmail": "ops@example.com",
    "notificationSender": "finetuning@example.com",
    "apiRequestsPerAddress": "3000",
    "resolverConcurrency": "20",
    "removal": "destroy",
}


def test_the_templates_pass_cfn_lint(tmp_path: Path) -> None:
    templates: list[str] = []
    for name, changes in {"shipped": {}, "otherwise": OTHERWISE}.items():
        (tmp_path / name).mkdir()
        templates.extend(str(path) for path in assembled(tmp_path / name, **changes).glob("*.template.json"))
    cfn_lint = str(Path(sys.executable).with_name("cfn-lint"))
    result = subprocess.run(
        [cfn_lint, "--config-file", str(ROOT / ".cfnlintrc.yaml"), "--template", *templates],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert len(templates) == 2
    assert (result.returncode, result.stdout) == (0, "")
