# Makes reference/random_intercept.json. Run from the root of the repository: Rscript tests/against_r/reference/make_random_intercept.R
suppressMessages({library(jsonlite); library(lme4); library(lmerTest)})
set.seed(42)
size <- c(3, 5, 8, 12, 15, 20, 25, 30, 6, 9, 4, 18, 22, 7, 11, 14, 2, 1)
center <- rep(seq_along(size), size)
n <- length(center)
age <- round(rnorm(n, 65, 12)); pump <- rbinom(n, 1, plogis((age - 65) / 20)); lactate <- round(exp(rnorm(n, 1, 0.6)), 2)
shift <- rnorm(length(size), 0, 1)[center]
died <- rbinom(n, 1, plogis(-0.5 + 0.03 * (age - 65) - 0.4 * pump + 0.3 * lactate + shift))
days <- round(10 + 0.1 * (age - 65) + 2 * pump + 3 * shift + rnorm(n, 0, 4), 1)
d <- data.frame(center, age, pump, lactate, died, days)
tight <- lmerControl(optCtrl = list(xtol_rel = 1e-14, ftol_abs = 1e-16, xtol_abs = 1e-14))
linear <- function(reml) {
  fit <- lmerTest::lmer(days ~ age + pump + lactate + (1 | center), d, REML = reml, control = tight)
  table <- coef(summary(fit)); joint <- contestMD(fit, rbind(c(0, 0, 1, 0), c(0, 0, 0, 1)))
  one <- contest1D(fit, c(0, 10, 1, 0))
  list(coefficients = unname(fixef(fit)), covariance = unname(as.matrix(vcov(fit))), log_likelihood = as.numeric(logLik(fit)),
       variances = as.data.frame(VarCorr(fit))$vcov, df = unname(table[, "df"]), p = unname(table[, "Pr(>|t|)"]),
       joint = c(joint[["F value"]], joint[["DenDF"]], joint[["Pr(>F)"]]), one = c(one$Estimate, one$df), intercepts = unname(ranef(fit)$center[, 1]))
}
logistic <- function(points) {
  fit <- glmer(died ~ I((age - 65) / 10) + pump + lactate + (1 | center), d, binomial, nAGQ = points,
    control = glmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 1e5)))
  list(coefficients = unname(fixef(fit)), covariance = unname(as.matrix(vcov(fit))), log_likelihood = as.numeric(logLik(fit)),
       variance = as.data.frame(VarCorr(fit))$vcov)
}
out <- list(versions = list(R = R.version.string, lme4 = as.character(packageVersion("lme4")), lmerTest = as.character(packageVersion("lmerTest"))),
  data = as.list(d), REML = linear(TRUE), ML = linear(FALSE),
  logistic = list(`1` = logistic(1), `11` = logistic(11), `25` = logistic(25)))
writeLines(toJSON(out, digits = 17, auto_unbox = TRUE), "tests/against_r/reference/random_intercept.json")
