"""Write meta_bayes.json and meta_sequential.json: what the tests need of ../shared/reference/meta.

That material is the output of bayesmeta 3.4 (scripts/ref_bayes.R) and RTSA 0.2.2 (scripts/ref_rtsa.R) in R 4.2.2; the
data are bcg and li2007 of metadat 1.2-0 and perioOxy of RTSA.
"""

import csv
import json
from pathlib import Path

HERE = Path(__file__).parent
SHARED = HERE.parents[3] / "shared" / "reference" / "meta"
BOUNDARIES = ("inf_frac", "alpha_ubound", "delta", "root", "alpha", "beta", "beta_ubound")
RUN = ("AIS", "RIS", "HARIS", "SMA_HARIS")
ROWS = ("z_random", "outcome_random", "sma_timing", "upper", "TSAadjCIrandom_lower", "TSAadjCIrandom_upper",
        "pvalues_random")  # fmt: skip


def table(name):
    with (SHARED / "data" / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def write(name, content):
    (HERE / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


bayes = json.loads((SHARED / "bayes.json").read_text())
write("meta_bayes", {
    "source": "bayesmeta 3.4, scripts/ref_bayes.R",
    "sets": {
        name: {key: [float(row[key]) for row in table(name)] for key in ("yi", "vi")} | {"fits": fits}
        for name, fits in bayes.items()
    },
})  # fmt: skip
rtsa = json.loads((SHARED / "rtsa.json").read_text())
run = rtsa["perioOxy_RTSA"]["results"]
write("meta_sequential", {
    "source": "RTSA 0.2.2, scripts/ref_rtsa.R",
    "boundaries": {name: {key: rtsa[name][key] for key in BOUNDARIES} for name in ("bounds_OF4", "bounds_OF4_fut")},
    "perioOxy": {key: [float(row[key]) for row in table("perioOxy")] for key in ("eI", "eC", "nI", "nC")},
    "meta": {
        "common": rtsa["perioOxy_meta"]["synth"]["peF"], "random": rtsa["perioOxy_meta"]["synth"]["peR"],
        "heterogeneity": rtsa["perioOxy_meta"]["synth"]["U"], "required": rtsa["perioOxy_meta"]["ris"],
    },
    "run": {key: run[key] for key in RUN} | {key: run["results_df"][key] for key in ROWS},
})  # fmt: skip
