# Reference numbers for tests/against_r/test_describe_r.py: base R and MASS (generalized inverse).
# Run from this folder: Rscript describe.R > describe.json
library(MASS)
d <- read.csv("describe.csv", stringsAsFactors = FALSE, na.strings = "")
out <- c()
put <- function(name, v) out <<- c(out, sprintf("\"%s\": %.17g", name, v))
a <- d[d$arm == "b", ]; r <- d[d$arm == "a", ]
put("age_pooled", (mean(a$age, na.rm = TRUE) - mean(r$age, na.rm = TRUE)) / sqrt((var(a$age, na.rm = TRUE) + var(r$age, na.rm = TRUE)) / 2))
put("age_treated", (mean(a$age, na.rm = TRUE) - mean(r$age, na.rm = TRUE)) / sd(a$age, na.rm = TRUE))
put("age_reference", (mean(a$age, na.rm = TRUE) - mean(r$age, na.rm = TRUE)) / sd(r$age, na.rm = TRUE))
put("age_all", (mean(a$age, na.rm = TRUE) - mean(r$age, na.rm = TRUE)) / sd(d$age, na.rm = TRUE))
lev <- sort(unique(d$stage))
sh <- function(g) as.numeric(prop.table(table(factor(g$stage, levels = lev))))
cv <- function(p) diag(p) - p %o% p
md <- function(S) { x <- sh(a) - sh(r); sqrt(drop(t(x) %*% ginv(S) %*% x)) }
put("stage_pooled", md((cv(sh(a)) + cv(sh(r))) / 2)); put("stage_treated", md(cv(sh(a)))); put("stage_reference", md(cv(sh(r)))); put("stage_all", md(cv(sh(d))))
p1 <- mean(a$smoker); p0 <- mean(r$smoker)
put("smoker_pooled", (p1 - p0) / sqrt((p1 * (1 - p1) + p0 * (1 - p0)) / 2))
put("age_welch", t.test(age ~ arm, data = d)$p.value); put("age_wilcox", wilcox.test(age ~ arm, data = d, exact = FALSE)$p.value)
put("stage_pearson", suppressWarnings(chisq.test(table(d$arm, d$stage))$p.value)); put("stage_fisher", fisher.test(table(d$arm, d$stage))$p.value)
put("smoker_yates", suppressWarnings(chisq.test(table(d$arm, d$smoker))$p.value)); put("smoker_pearson", suppressWarnings(chisq.test(table(d$arm, d$smoker), correct = FALSE)$p.value))
for (s in c("a", "b")) { v <- d$age[d$arm == s]; q <- quantile(v, c(.25, .5, .75), na.rm = TRUE, names = FALSE)
  put(paste0("age_mean_", s), mean(v, na.rm = TRUE)); put(paste0("age_sd_", s), sd(v, na.rm = TRUE))
  put(paste0("age_q1_", s), q[1]); put(paste0("age_median_", s), q[2]); put(paste0("age_q3_", s), q[3]) }
cat("{\"made_with\": \"", R.version.string, ", MASS ", as.character(packageVersion("MASS")), "\",\n", paste(out, collapse = ",\n"), "\n}\n", sep = "")
