"""Many treatments compared at once, directly and through each other."""

from __future__ import annotations

from counterpulse.study.method_spec import MethodSpec, Option, loaded
from counterpulse.study.methods.meta_analysis import SPEC as POOLED

SPEC = MethodSpec(
    name="network-meta-analysis",
    label="network meta-analysis",
    about="all treatments were compared at once by the graph-theoretical method",
    outcomes=frozenset({"effect"}),
    measures=tuple(name for name in POOLED.measures if name not in ("proportion", "rate", "correlation")),
    options=(
        Option(name="model", default="random", kind="word", allowed=("random", "common"), about="whether effects differ between studies",
               phrases=(("random", "effects were allowed to differ between studies, by one variance for all comparisons"), ("common", "effects were taken as the same in all studies"))),
        Option(name="tau2", default="REML", kind="word", allowed=("REML", "DL", "ML", "PM", "EB"), about="the estimator of the variance between studies",
               words="the variance between studies was estimated by {value}"),
        Option(name="reference", default=None, kind="word", about="the treatment that the others are compared with; by default the control of most studies", words="treatments were compared with {value}"),
        Option(name="node_splitting", default=True, kind="yes-no", about="whether direct and indirect evidence are compared", phrases=(("True", "direct and indirect evidence were compared by node splitting"), ("False", "")),
               references=(("True", "dias-2010"),)),
        Option(name="direct", default=True, kind="yes-no", about="whether direct comparisons stand in the league table", phrases=(("True", ""), ("False", ""))),
    ),
    refuse=loaded("counterpulse.study.reviewing.answers.network:refuse_network"),
    calls="counterpulse.synthesis.networks.network_meta_analysis:network",
    citations=("rucker-2012", "rucker-schwarzer-2014", "rucker-schwarzer-2015"),
    estimate=loaded("counterpulse.study.reviewing.answers.network:network_answer"),
)  # fmt: skip
