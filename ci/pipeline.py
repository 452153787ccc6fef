"""The pipeline: its stages, what each needs, and the function that each is.

A stage's needs are what must have *passed* before it. The data it works on comes from Dagger objects that
are evaluated when they are asked for, so a stage run alone (`--only build`) still has its inputs.
`build` needs `gate`, not only `train`: there is never an image of a model that was not good enough.
"""

from ci.graph import Graph, Stage

PIPELINE = Graph(
    [
        Stage("lint", "ruff, pylint and mypy over the code", "ci.stages.lint:lint"),
        Stage("test", "the app's tests, with coverage", "ci.stages.test:test"),
        Stage("train", "train and evaluate the model", "ci.stages.train:train"),
        Stage(
            "gate", "judge the model by the thresholds in pyproject.toml", "ci.stages.gate:gate", ("train",)
        ),
        Stage(
            "build", "an OCI image of the service with the model", "ci.stages.build:build", ("train", "gate")
        ),
        Stage("smoke", "start the image and ask it a known case", "ci.stages.smoke:smoke", ("build",)),
        Stage(
            "provision",
            "lay the foundation of the environment that --env names",
            "ci.stages.provision:provision",
            delivers=True,
        ),
        Stage(
            "publish",
            "push the image to the environment's registry, by digest",
            "ci.stages.publish:publish",
            ("lint", "test", "smoke", "provision"),
            delivers=True,
        ),
        Stage(
            "deploy",
            "run the published image on Cloud Run, by the Pulumi program",
            "ci.stages.deploy:deploy",
            ("publish",),
            delivers=True,
        ),
        Stage(
            "verify",
            "ask the deployed service the known case, and what it is",
            "ci.stages.verify:verify",
            ("deploy",),
            delivers=True,
        ),
        Stage(
            "preview",
            "what a deploy would change, as a plan to be approved",
            "ci.stages.deploy:preview",
            ("publish",),
            default=False,
            delivers=True,
        ),
        Stage(
            "base-image",
            "the base image, for an engine without a registry",
            "ci.stages.base_image:base_image",
            default=False,
        ),
    ]
)
