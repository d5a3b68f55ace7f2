"""Write meta_pooling.json: what the tests need of ../shared/reference/meta.

That material is the output of metafor 3.8-1 (scripts/ref_metafor.R) and meta 6.1-0 (scripts/ref_netmeta.R) in R 4.2.2;
iterations there went to 1e-11 (ML, REML, EB) and 1e-13 (PM, Q-profile). Data sets are those of metadat 1.2-0.
"""

import csv
import json
from pathlib import Path

HERE = Path(__file__).parent
SHARED = HERE.parents[3] / "shared" / "reference" / "meta"
SETS = ("bcg_RR", "bcg_OR", "bcg_RD", "hackshaw1998", "egger2001_OR", "li2007_OR", "yusuf1985_t6_OR",
        "nielweise2007_OR", "bangertdrowns2004", "lau1992_OR")  # fmt: skip
FIT = ("b", "tau2", "se_tau2", "I2", "H2", "QE", "QEp", "loglik", "AIC", "AICc", "BIC")
TEST = ("se", "zval", "pval", "ci_lb", "ci_ub", "dfs")
REGRESSION = (*FIT, "QM", "QMp", "R2", *TEST)
FACTORS = {"alloc": ("random", "systematic"), "design": ("cohort",)}


def read(name):
    with (SHARED / f"{name}.json").open() as file:
        return json.load(file)


def table(name):
    with (SHARED / "data" / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def compact_method(method):
    out = {"fit": {name: method["z"][name] for name in FIT}, "tests": {}}
    for test in ("z", "knha", "t"):
        fit = method[test]
        ends = [fit["predict"].get(end) for end in ("pi_lb", "pi_ub")]
        out["tests"][test] = {name: fit[name] for name in TEST} | {"prediction": [end for end in ends if end != []]}
    if "confint_tau2" in method:
        ends = method["confint_tau2"]
        out["confint"] = {name: [ends[name]["ci.lb"], ends[name]["ci.ub"]] for name in ("tau^2", "I^2(%)")}
    return out


def columns_of(name, names):
    rows = table(name)
    columns = {}
    for label in names[1:]:
        for factor, levels in FACTORS.items():
            if label.startswith(factor) and label[len(factor) :] in levels:
                columns[label] = [float(row[factor] == label[len(factor) :]) for row in rows]
        if label not in columns:
            columns[label] = [None if row[label] in ("NA", "") else float(row[label]) for row in rows]
    return columns


def compact_regressions(name, blocks):
    out = {}
    for formula, block in blocks.items():
        names = block["REML"]["z"]["names"]
        out[formula] = {"columns": columns_of(name, names), "vif": block["vif"], "R2_ML": block["R2_ML"],
                        "confint": block["confint_tau2_REML"]["tau^2"], "methods": {}}  # fmt: skip
        for method, tests in block.items():
            if isinstance(tests, dict) and "knha" in tests:
                out[formula]["methods"][method] = {
                    test: {key: fit[key] for key in REGRESSION} for test, fit in tests.items()
                }
    return out


def compact(name):
    full = read(name)
    kept = {"yi": full["yi"], "vi": full["vi"]}
    kept["methods"] = {name: compact_method(m) for name, m in full["methods"].items() if name != "GENQ"}
    kept["adhoc"] = {key: full["adhoc_knha"][key] for key in TEST}
    kept["level90"] = full["predict_pitype"]["level90"]
    kept["blup"], kept["weights"] = full["blup"], full["weights"]
    kept["regressions"] = compact_regressions(name, full.get("metareg", {}))
    if "pval" in full.get("permutest_exact", {}):
        kept["permutest_exact_DL"] = full["permutest_exact"]["pval"]
    return kept


def main():
    package = read("meta_pkg")
    counts = [{key: int(row[key]) for key in ("ai", "n1i", "ci", "n2i")} for row in table("li2007_OR")]
    inverse = {key: block for key, block in package["li2007"].items() if key.startswith("Inverse_")}
    out = {"source": __doc__, "sets": {name: compact(name) for name in SETS}, "meta": {
        "counts": counts, "inverse": inverse, "hk_adhoc": package["hk_adhoc"], "kr": package["kr"],
    }}  # fmt: skip
    (HERE / "meta_pooling.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
