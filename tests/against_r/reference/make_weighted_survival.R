# Makes reference/weighted_survival.json.
# Run from the root of the repository: Rscript tests/against_r/reference/make_weighted_survival.R
suppressMessages({library(jsonlite); library(survival)})
set.seed(3)
h <- heart; h$w <- round(runif(nrow(h), 0.3, 3), 3); h$transplant <- as.integer(as.character(h$transplant))
l <- lung[, c("time", "status", "sex", "age")]; l$w <- round(runif(nrow(l), 0.3, 3), 3); l$pair <- rep(1:114, 2)
curve <- function(s) list(time = s$time, at_risk = s$n.risk, survival = s$surv,
                          std_error = s$std.err * if (s$logse) s$surv else 1, low = s$lower, high = s$upper)
model <- function(ties, ...) {
  fit <- coxph(Surv(start, stop, event) ~ transplant + age + surgery, h, weights = w, cluster = id, robust = TRUE, ties = ties,
               control = coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 60))
  list(coefficients = unname(coef(fit)), covariance = unname(fit$var), model_covariance = unname(fit$naive.var))
}
lost <- coxph(Surv(time, status == 1) ~ age + sex, l, control = coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 60))
hazard <- basehaz(lost, centered = FALSE)
before <- sapply(l$time, function(t) max(c(0, hazard$hazard[hazard$time < t])))
stay <- survfit(Surv(time, status == 1) ~ sex, l)
just_before <- function(t, s) { one <- stay[s]; min(c(1, one$surv[one$time < t])) }
out <- list(
  versions = list(R = R.version.string, survival = as.character(packageVersion("survival"))),
  heart = h[, c("start", "stop", "event", "transplant", "age", "surgery", "id", "w")], lung = l,
  curves = list(
    heart = curve(survfit(Surv(start, stop, event) ~ 1, h, weights = w, cluster = id, robust = TRUE)),
    heart_by = curve(survfit(Surv(start, stop, event) ~ transplant, h, weights = w, cluster = id, robust = TRUE)),
    lung_by = curve(survfit(Surv(time, status) ~ sex, l, weights = w, cluster = pair, robust = TRUE)),
    lung_pairs = curve(survfit(Surv(time, status) ~ 1, l, cluster = pair, robust = TRUE))),
  cox = list(efron = model("efron"), breslow = model("breslow")),
  uncensored = list(cox = unname(exp(-before * exp(as.vector(as.matrix(l[, c("age", "sex")]) %*% coef(lost))))),
                    kaplan_meier = mapply(just_before, l$time, l$sex))
)
writeLines(toJSON(out, digits = I(17), auto_unbox = TRUE, na = "null", dataframe = "columns"),
           "tests/against_r/reference/weighted_survival.json")
