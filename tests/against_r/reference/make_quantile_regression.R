# Makes reference/quantile_regression.json.
# Run from the root of the repository: Rscript tests/against_r/reference/make_quantile_regression.R
suppressMessages({library(jsonlite); library(quantreg)})
options(warn = -1)
set.seed(43)
n <- 201
d <- data.frame(x = round(rnorm(n, 3, 2), 6), arm = sample(c("a", "b", "c"), n, TRUE), u = round(runif(n), 6))
d$y <- round(2 + 0.7 * d$x + 1.3 * (d$arm == "b") - 0.4 * (d$arm == "c") + (0.5 + d$u) * rt(n, 4), 7)
d$w <- round(runif(n, 0.3, 3), 4)
one <- function(formula, tau, data = d, rank = TRUE) {
  fit <- rq(formula, tau = tau, data = data, method = "br")
  table_of <- function(se) { s <- summary(fit, se = se, covariance = TRUE); list(table = unname(s$coefficients), covariance = unname(s$cov)) }
  out <- list(tau = tau, names = names(coef(fit)), coefficients = unname(coef(fit)), objective = fit$rho,
              nid = table_of("nid"), iid = table_of("iid"))
  if (rank) out$rank <- unname(summary(fit, se = "rank", alpha = 0.05)$coefficients[, 2:3])
  out
}
engel <- NULL; data(engel, package = "quantreg")
out <- list(
  versions = list(R = R.version.string, quantreg = as.character(packageVersion("quantreg"))),
  data = d,
  fits = lapply(c(0.25, 0.5, 0.75, 0.9), function(tau) one(y ~ x + u, tau)),
  arms = lapply(c(0.25, 0.5, 0.75, 0.9), function(tau) one(y ~ x + arm + u, tau, rank = FALSE)),
  engel = list(data = engel, fits = lapply(c(0.1, 0.5, 0.75), function(tau) one(foodexp ~ income, tau, engel))),
  weighted = unname(coef(rq(y ~ x + arm + u, tau = 0.5, data = d, weights = w))),
  two_groups = one(y ~ x2, 0.5, transform(d[d$arm != "c", ], x2 = as.numeric(arm == "b")))
)
writeLines(toJSON(out, digits = I(17), auto_unbox = TRUE, na = "null", dataframe = "columns"),
           "tests/against_r/reference/quantile_regression.json")
