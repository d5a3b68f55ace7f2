# Makes reference/conditional_logistic.json. Run from the root of the repository: Rscript tests/against_r/reference/make_conditional_logistic.R
suppressMessages({library(jsonlite); library(survival)})
set.seed(11)
draw <- function(cases, others) {
  set <- rep(seq_along(cases), cases + others)
  d <- data.frame(set, case = unlist(Map(function(a, b) rep(1:0, c(a, b)), cases, others)))
  d$age <- round(rnorm(nrow(d), 60 + 3 * d$case, 10)); d$pump <- rbinom(nrow(d), 1, 0.3 + 0.2 * d$case)
  d$scai <- sample(c("B", "C", "D"), nrow(d), TRUE)
  d
}
one <- function(d) {
  fit <- clogit(case ~ I(age / 10) + pump + scai + strata(set), d, method = "exact", control = coxph.control(eps = 1e-14, iter.max = 100))
  list(data = as.list(d), coefficients = unname(coef(fit)), covariance = unname(vcov(fit)), log_likelihood = fit$loglik)
}
out <- list(versions = list(R = R.version.string, survival = as.character(packageVersion("survival"))),
  pairs = one(draw(rep(1, 60), rep(1, 60))),
  one_to_many = one(draw(rep(1, 40), sample(1:5, 40, TRUE))),
  any = one(draw(sample(0:4, 40, TRUE), sample(0:6, 40, TRUE))),
  large = one(draw(c(20, 12, 25), c(30, 40, 20))))
writeLines(toJSON(out, digits = 17, auto_unbox = TRUE), "tests/against_r/reference/conditional_logistic.json")
