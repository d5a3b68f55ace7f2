# Makes reference/regression.json. Run from the root of the repository: Rscript tests/against_r/reference/regression.R
suppressMessages({library(jsonlite); library(sandwich); library(MASS)})
w <- read.csv("../shared/data/whas500.csv")
set.seed(1)
w$pw <- round(0.25 + (w$age %% 7) / 3 + (w$hr %% 5) / 7, 6)
w$fw <- 1 + (w$hr %% 3)
one <- function(fit, extra = list()) {
  fit$call$data <- NULL
  c(list(names = names(coef(fit)), coefficients = unname(coef(fit)), covariance = unname(vcov(fit)),
         log_likelihood = as.numeric(logLik(fit))), extra)
}
control <- glm.control(epsilon = 1e-14, maxit = 100)
f <- fstat ~ age + gender + hr + bmi + chf + sho
plain <- glm(f, binomial, w, control = control)
ci <- suppressMessages(confint(plain))
exact_end <- function(name, side) {  # the profile itself, where confint() interpolates it by a spline
  rest <- setdiff(attr(terms(f), "term.labels"), name)
  fall <- function(b) deviance(glm(reformulate(rest, "fstat"), binomial, w, offset = b * w[[name]], control = control)) -
    deviance(plain) - qchisq(0.95, 1)
  at <- coef(plain)[[name]]; se <- sqrt(vcov(plain)[name, name])
  uniroot(fall, sort(at + side * c(1, 3) * se), tol = 1e-13)$root
}
exact <- t(sapply(attr(terms(f), "term.labels"), function(name) c(exact_end(name, -1), exact_end(name, 1))))
lr <- sapply(attr(terms(f), "term.labels"), function(t) plain0 <- deviance(update(plain, paste(". ~ . -", t))) - deviance(plain))
frequency <- glm(f, binomial, w, weights = fw, control = control)
frequency <- update(frequency, start = coef(frequency))
# a second run from the first, so that the weights behind vcov() are those of the last coefficients
plain <- update(plain, start = coef(plain))
probability <- suppressWarnings(glm(f, binomial, w, weights = pw, control = control))
categories <- glm(fstat ~ age * factor(chf) + factor(mitype) + log(bmi), binomial, w, control = control)
g <- sysbp ~ age + gender + hr + bmi + factor(mitype)
lin <- lm(g, w)
linw <- lm(g, w, weights = pw)
out <- list(
  versions = list(R = R.version.string, sandwich = as.character(packageVersion("sandwich")), MASS = as.character(packageVersion("MASS"))),
  weights = list(pw = w$pw, fw = w$fw),
  logistic = one(plain, list(null_deviance = plain$null.deviance, profile = unname(ci), exact_profile = unname(exact), likelihood_ratio = unname(lr),
    sandwich = unname(sandwich(plain)), clustered = unname(vcovCL(plain, cluster = w$age)))),
  frequency = one(frequency),
  probability = one(probability, list(sandwich = unname(sandwich(probability)), clustered = unname(vcovCL(probability, cluster = w$age)))),
  categories = one(categories),
  linear = one(lin, list(sigma = summary(lin)$sigma, r_squared = summary(lin)$r.squared, df = lin$df.residual,
    confint = unname(confint(lin)), hc3 = unname(vcovHC(lin)), clustered = unname(vcovCL(lin, cluster = w$age)))),
  linear_weighted = one(linw, list(hc3 = unname(vcovHC(linw)), clustered = unname(vcovCL(linw, cluster = w$age))))
)
write(toJSON(out, digits = I(17), auto_unbox = TRUE), "tests/against_r/reference/regression.json")
