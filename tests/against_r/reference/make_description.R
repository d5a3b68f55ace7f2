# Makes reference/description.json.
# Run from the root of the repository: Rscript tests/against_r/reference/make_description.R
suppressMessages(library(jsonlite))
set.seed(17)
n <- 140
d <- data.frame(age = round(rnorm(n, 62, 12), 1), lactate = round(rexp(n, 0.25), 1), sex = sample(c("F", "M"), n, TRUE))
d$stage <- cut(d$lactate + rnorm(n), c(-Inf, 1, 3, 6, Inf), labels = c("B", "C", "D", "E"))
d$site <- sample(c("k", "l", "m"), n, TRUE)
cramer <- function(x, y) {
  t <- suppressWarnings(chisq.test(table(x, y), correct = FALSE))
  sqrt(unname(t$statistic) / (n * (min(dim(table(x, y))) - 1)))
}
ratio <- function(x, g) sqrt(summary(lm(x ~ g))$r.squared)
X <- model.matrix(~ age + lactate + sex + stage + site, d)[, -1]
R <- cor(X)
places <- list(age = 1, lactate = 2, sex = 3, stage = 4:6, site = 7:8)
gvif <- sapply(places, function(k) det(R[k, k, drop = FALSE]) * det(R[-k, -k]) / det(R))
limit <- function(p, n, risk) { # Spiegelhalter 2005, appendix A.1.1
  r <- qbinom(p, n, risk)
  a <- (pbinom(r, n, risk) - p) / (pbinom(r, n, risk) - pbinom(r - 1, n, risk))
  min(max((r - a) / n, 0), 1)
}
sizes <- c(3, 12, 47, 250, 1800)
out <- list(
  versions = list(R = R.version.string),
  data = transform(d, stage = as.character(stage)),
  pearson = cor(d$age, d$lactate), spearman = cor(d$age, d$lactate, method = "spearman"),
  point_biserial = cor(d$age, as.numeric(d$sex == "M")), ratio = ratio(d$lactate, d$stage),
  cramer = list(sex_stage = cramer(d$sex, d$stage), sex_site = cramer(d$sex, d$site), stage_site = cramer(d$stage, d$site)),
  gvif = as.list(gvif), vif_age = 1 / (1 - summary(lm(age ~ lactate + sex + stage + site, d))$r.squared),
  limits = lapply(c(0.07, 0.52), function(risk) lapply(sizes, function(m) sapply(c(0.001, 0.025, 0.975, 0.999), limit, n = m, risk = risk))),
  sizes = sizes,
  freedman_diaconis = list(age = 2 * IQR(d$age) / n^(1 / 3), lactate = 2 * IQR(d$lactate) / n^(1 / 3))
)
writeLines(toJSON(out, digits = I(17), auto_unbox = TRUE, na = "null", dataframe = "columns"),
           "tests/against_r/reference/description.json")
