# Makes reference/gee.json. Run from the root of the repository: Rscript tests/against_r/reference/make_gee.R
suppressMessages({library(jsonlite); library(geepack)})
set.seed(7)
size <- sample(1:9, 60, TRUE)
center <- rep(seq_along(size), size); n <- length(center)
visit <- unlist(lapply(size, function(s) sort(sample(1:12, s))))
age <- round(rnorm(n, 0, 1), 3); arm <- rep(rbinom(60, 1, 0.5), size); shift <- rnorm(60)[center]
died <- rbinom(n, 1, plogis(-0.4 + 0.5 * age + 0.6 * arm + shift))
days <- round(5 + age + 2 * arm + 1.5 * shift + rnorm(n), 3)
bleeds <- rpois(n, exp(0.2 + 0.3 * age + 0.4 * arm + 0.5 * shift))
d <- data.frame(center, visit, age, arm, died, days, bleeds)
control <- geese.control(epsilon = 1e-13, maxit = 500)
one <- function(y, family, corstr) {
  fit <- geeglm(reformulate(c("age", "arm"), y), family = family, data = d, id = center, waves = visit, corstr = corstr, control = control)
  list(coefficients = unname(coef(fit)), covariance = unname(fit$geese$vbeta), alpha = as.numeric(fit$geese$alpha),
       dispersion = as.numeric(fit$geese$gamma))
}
out <- list(versions = list(R = R.version.string, geepack = as.character(packageVersion("geepack"))), data = as.list(d))
for (corstr in c("independence", "exchangeable", "ar1"))
  out[[corstr]] <- list(binomial = one("died", binomial, corstr), gaussian = one("days", gaussian, corstr), poisson = one("bleeds", poisson, corstr))
writeLines(toJSON(out, digits = 17, auto_unbox = TRUE), "tests/against_r/reference/gee.json")
