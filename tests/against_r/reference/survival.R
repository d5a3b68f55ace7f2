# Makes reference/survival.json and reference/survival_simulated.csv.
# Run from the root of the repository: Rscript tests/against_r/reference/survival.R
suppressMessages({library(jsonlite); library(survival)})
data_dir <- "../shared/data/"
read <- function(name) read.csv(paste0(data_dir, name), stringsAsFactors = FALSE)
lung <- read("lung.csv"); veteran <- read("veteran.csv"); whas <- read("whas500.csv"); heart <- read("heart.csv")
failure <- read("heart_failure_clinical_records.csv")

# heavy ties, late entry, weights, clusters, strata
set.seed(20)
n <- 240
s <- data.frame(x1 = round(rnorm(n), 6), x2 = rbinom(n, 1, 0.4), x3 = round(runif(n, 0, 5), 6),
                arm = sample(c("a", "b", "c"), n, TRUE), stratum = sample(1:4, n, TRUE), cluster = sample(1:60, n, TRUE))
event_time <- rexp(n, 0.1 * exp(0.5 * s$x1 - 0.4 * s$x2)); censor <- runif(n, 2, 25)
s$exact <- round(pmin(event_time, censor), 7)
s$died <- as.integer(event_time <= censor)
s$tied <- ceiling(s$exact / 3)
s$begin <- round(s$tied * runif(n, -0.5, 0.8)); s$begin <- pmin(s$begin, s$tied - 1)
s$begin_exact <- round(s$exact * runif(n, 0, 0.7), 7)
s$w <- round(runif(n, 0.3, 3), 4); s$k <- sample(1:3, n, TRUE)
write.csv(s, "tests/against_r/reference/survival_simulated.csv", row.names = FALSE)

tight <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 50)
call_cox <- function(formula, data, ...) do.call(coxph, list(formula, data = quote(data), control = tight, ...), envir = list2env(list(data = data), parent = globalenv()))
fit_of <- function(formula, data, ...) {
  f <- call_cox(formula, data, ...)
  out <- list(coefficients = unname(coef(f)), names = names(coef(f)), covariance = unname(vcov(f)),
              model_covariance = unname(if (is.null(f$naive.var)) f$var else f$naive.var), log_likelihood = f$loglik,
              n = f$n, events = f$nevent)
  out
}
with_zph <- function(formula, data) {
  f <- do.call(coxph, list(formula, data = data, control = tight, model = TRUE, x = TRUE, y = TRUE))
  tests <- list()
  for (tr in c("km", "identity", "rank", "log"))
    tests[[tr]] <- unname(cox.zph(f, transform = tr)$table)
  tests
}
cox <- list(
  lung = fit_of(Surv(time, status) ~ age + sex + ph.ecog, lung),
  lung_breslow = fit_of(Surv(time, status) ~ age + sex + ph.ecog, lung, ties = "breslow"),
  lung_cluster = fit_of(Surv(time, status) ~ age + sex + ph.ecog, lung[!is.na(lung$inst), ], cluster = lung$inst[!is.na(lung$inst)]),
  veteran = fit_of(Surv(time, status) ~ trt + celltype + karno + diagtime + age + prior, veteran),
  whas = fit_of(Surv(lenfol, fstat) ~ age + gender + bmi + sho + chf, whas),
  failure = fit_of(Surv(time, DEATH_EVENT) ~ age + anaemia + creatinine_phosphokinase + ejection_fraction + high_blood_pressure + serum_creatinine + serum_sodium, failure),
  heart = fit_of(Surv(start, stop, event) ~ transplant + age + surgery + year, heart),
  heart_interaction = fit_of(Surv(start, stop, event) ~ age + surgery + transplant + age:transplant + surgery:transplant, heart),
  heart_cluster = fit_of(Surv(start, stop, event) ~ transplant + age + surgery, heart, cluster = heart$id)
)
zph <- list(
  lung = with_zph(Surv(time, status) ~ age + sex + ph.ecog, lung),
  veteran = with_zph(Surv(time, status) ~ trt + celltype + karno + diagtime + age + prior, veteran),
  heart = with_zph(Surv(start, stop, event) ~ transplant + age + surgery, heart)
)
# the grid: times (tied or not) x late entry x strata x weights x cluster x method
grid <- list()
for (times in c("tied", "exact")) for (entry in c(FALSE, TRUE)) for (strata in c(FALSE, TRUE))
for (weight in c("none", "w", "k")) for (cl in c(FALSE, TRUE)) for (method in c("efron", "breslow")) {
  y <- if (entry) sprintf("Surv(%s, %s, died)", if (times == "tied") "begin" else "begin_exact", times) else sprintf("Surv(%s, died)", times)
  f <- as.formula(paste(y, "~ x1 + x2 + x3 + arm", if (strata) "+ strata(stratum)" else ""))
  rows_together <- if (cl) s$cluster else seq_len(n)  # survival asks for a cluster with late entry
  d <- s; d$wt <- switch(weight, none = rep(1, n), w = s$w, k = s$k)
  fit <- if (weight == "none") fit_of(f, d, ties = method, cluster = rows_together) else
    fit_of(f, d, ties = method, weights = d$wt, cluster = rows_together)
  grid[[length(grid) + 1]] <- c(list(times = times, entry = entry, strata = strata, weight = weight, cluster = cl, ties = method), fit)
}
zph$tied_entry_strata <- with_zph(Surv(begin, tied, died) ~ x1 + x2 + arm + strata(stratum), subset(s, tied > 0))

curve_of <- function(k) {
  strata <- if (is.null(k$strata)) rep("all", length(k$time)) else rep(names(k$strata), k$strata)
  sm <- summary(k, censored = TRUE)
  q <- quantile(k, c(0.1, 0.25, 0.5, 0.75))
  list(group = strata, time = k$time, at_risk = k$n.risk, events = k$n.event, censored = k$n.censor, survival = k$surv,
       std_error = sm$std.err, low = k$lower, high = k$upper,
       quantile = unname(q$quantile), quantile_low = unname(q$lower), quantile_high = unname(q$upper))
}
curves <- list()
for (kind in c("log", "log-log", "plain", "logit", "arcsin")) {
  curves[[kind]] <- list(
    lung = curve_of(survfit(Surv(time, status) ~ sex, lung, conf.type = kind)),
    veteran = curve_of(survfit(Surv(time, status) ~ celltype, veteran, conf.type = kind)),
    tied = curve_of(survfit(Surv(tied, died) ~ arm, s, conf.type = kind)),
    tied_k = curve_of(survfit(Surv(tied, died) ~ arm, s, conf.type = kind, weights = k)),
    tied_w = curve_of(survfit(Surv(tied, died) ~ arm, s, conf.type = kind, weights = w)),
    entry = curve_of(survfit(Surv(begin_exact, exact, died) ~ 1, s, conf.type = kind)),
    entry_w = curve_of(survfit(Surv(begin_exact, exact, died) ~ 1, s, conf.type = kind, weights = w)),
    flat_half = curve_of(survfit(Surv(c(1, 2, 3, 4, 5, 6), c(1, 1, 1, 0, 1, 0)) ~ 1, conf.type = kind))
  )
}
rmst <- list()
for (tau in c(180, 365, 730)) rmst[[as.character(tau)]] <- unname(summary(survfit(Surv(time, status) ~ sex, lung), rmean = tau)$table[, c("rmean", "se(rmean)")])

test_of <- function(...) {
  t <- do.call(survdiff, list(...))
  list(n = unname(as.vector(t$n)), observed = unname(if (is.matrix(t$obs)) rowSums(t$obs) else t$obs),
       expected = unname(if (is.matrix(t$exp)) rowSums(t$exp) else t$exp), covariance = unname(t$var), statistic = t$chisq)
}
tests <- list(
  lung = test_of(Surv(time, status) ~ sex, lung), lung_1 = test_of(Surv(time, status) ~ sex, lung, rho = 1),
  lung_stratified = test_of(Surv(time, status) ~ sex + strata(ph.ecog), lung),
  lung_stratified_1 = test_of(Surv(time, status) ~ sex + strata(ph.ecog), lung, rho = 1),
  veteran = test_of(Surv(time, status) ~ celltype, veteran),
  tied = test_of(Surv(tied, died) ~ arm, s), tied_half = test_of(Surv(tied, died) ~ arm, s, rho = 0.5),
  tied_stratified = test_of(Surv(tied, died) ~ arm + strata(stratum), s, rho = 1)
)
baseline_of <- function(f) { b <- basehaz(f, centered = FALSE); list(hazard = b$hazard, time = b$time) }
baseline <- list(
  lung = baseline_of(coxph(Surv(time, status) ~ age + sex + ph.ecog, lung, control = tight)),
  lung_breslow = baseline_of(coxph(Surv(time, status) ~ age + sex + ph.ecog, lung, ties = "breslow", control = tight)),
  tied = baseline_of(coxph(Surv(tied, died) ~ x1 + x2, s, control = tight))
)
cindex <- list(
  lung = unname(concordance(coxph(Surv(time, status) ~ age + sex + ph.ecog, lung, control = tight))$concordance),
  veteran = unname(concordance(coxph(Surv(time, status) ~ trt + celltype + karno + diagtime + age + prior, veteran, control = tight))$concordance),
  heart = unname(concordance(coxph(Surv(start, stop, event) ~ transplant + age + surgery, heart, control = tight))$concordance),
  stratified = unname(concordance(coxph(Surv(tied, died) ~ x1 + x2 + strata(stratum), s, control = tight))$concordance)
)
write_json(list(versions = list(R = R.version.string, survival = as.character(packageVersion("survival"))),
                cox = cox, grid = grid, zph = zph, curves = curves, rmst = rmst, tests = tests, baseline = baseline, concordance = cindex),
           "tests/against_r/reference/survival.json", digits = I(17), auto_unbox = TRUE, na = "null")
