# Makes reference/competing_risks.json.
# Run from the root of the repository: Rscript tests/against_r/reference/make_competing_risks.R
suppressMessages({library(jsonlite); library(survival); library(cmprsk)})
set.seed(7)
n <- 240
d <- data.frame(x = round(rnorm(n), 4), z = sample(0:1, n, TRUE), arm = sample(c("a", "b", "c"), n, TRUE),
                site = sample(c("u", "v"), n, TRUE), w = round(runif(n, 0.3, 3), 3), pair = rep(seq_len(n / 2), 2))
first <- rexp(n, 0.12 * exp(0.5 * d$x)); second <- rexp(n, 0.1 * exp(-0.4 * d$z)); censor <- runif(n, 0, 14)
d$time <- round(pmin(first, second, censor), 6)
d$cause <- ifelse(censor <= pmin(first, second), 0, ifelse(first <= second, 1, 2))
d$tied <- ceiling(d$time)
X <- as.matrix(d[, c("x", "z")])
tight <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 60)
one_crr <- function(time, ...) {
  fit <- crr(time, d$cause, X, failcode = 1, gtol = 1e-13, maxiter = 60, ...)
  at <- predict(fit, rbind(c(0.5, 1), c(-1, 0)))
  list(coefficients = unname(fit$coef), covariance = unname(fit$var), model_covariance = unname(fit$invinf),
       log_likelihood = fit$loglik, log_likelihood_null = fit$loglik.null, predicted = unname(unclass(at)))
}
one_finegray <- function(time, ties, group = seq_len(n)) {
  rows <- d
  rows$t <- time; rows$group <- group; rows$state <- factor(d$cause, 0:2)
  expanded <- finegray(Surv(t, state) ~ x + z + group, data = rows, etype = "1")
  fit <- coxph(Surv(fgstart, fgstop, fgstatus) ~ x + z, data = expanded, weights = fgwt, cluster = group, ties = ties,
               control = tight)
  list(coefficients = unname(coef(fit)), covariance = unname(fit$var), model_covariance = unname(fit$naive.var),
       log_likelihood = fit$loglik[2], log_likelihood_null = fit$loglik[1])
}
again <- rep(seq_len(n), ceiling(d$w))
replicated <- crr(d$tied[again], d$cause[again], X[again, ], gtol = 1e-13, maxiter = 60)
gray <- function(time, ties, weighted = FALSE) {
  rows <- d
  rows$t <- time; rows$id <- seq_len(n); rows$state <- factor(d$cause, 0:2)
  if (weighted) expanded <- finegray(Surv(t, state) ~ x + z + id + pair, data = rows, etype = "1", weights = w)
  else expanded <- finegray(Surv(t, state) ~ x + z + id + pair, data = rows, etype = "1")
  expanded$group <- if (weighted) expanded$pair else expanded$id
  fit <- coxph(Surv(fgstart, fgstop, fgstatus) ~ x + z, data = expanded, weights = fgwt, cluster = group, ties = ties,
               control = tight)
  list(coefficients = unname(coef(fit)), covariance = unname(fit$var), model_covariance = unname(fit$naive.var),
       log_likelihood = fit$loglik[2], log_likelihood_null = fit$loglik[1])
}
gray <- function(...) unname(cuminc(...)$Tests)
m <- mgus2
m$t <- with(m, ifelse(pstat == 0, futime, ptime)); m$cause <- with(m, ifelse(pstat == 0, 2 * death, 1))
cause_specific <- function(k) {
  fit <- coxph(Surv(time, cause == k) ~ x + z, d, control = tight)
  list(coefficients = unname(coef(fit)), covariance = unname(fit$var))
}
out <- list(
  versions = list(R = R.version.string, survival = as.character(packageVersion("survival")),
                  cmprsk = as.character(packageVersion("cmprsk"))),
  data = d,
  crr = list(time = one_crr(d$time), tied = one_crr(d$tied), stratified = one_crr(d$tied, cengroup = d$site)),
  finegray = list(time = one_finegray(d$time, "efron"), tied = one_finegray(d$tied, "efron"),
                  tied_breslow = one_finegray(d$tied, "breslow"), pairs = one_finegray(d$tied, "efron", d$pair)),
  replicated = list(coefficients = unname(replicated$coef), model_covariance = unname(replicated$invinf)),
  gray = list(time = gray(d$time, d$cause, d$arm), tied = gray(d$tied, d$cause, d$arm),
              stratified = gray(d$tied, d$cause, d$arm, strata = d$site), two_groups = gray(d$tied, d$cause, d$z)),
  cause_specific = list(cause_specific(1), cause_specific(2)),
  mgus2 = list(crr = {
    fit <- crr(m$t, m$cause, cbind(m$age, m$sex == "M"), gtol = 1e-13, maxiter = 60)
    list(coefficients = unname(fit$coef), covariance = unname(fit$var))
  }, gray = gray(m$t, m$cause, m$sex))
)
writeLines(toJSON(out, digits = I(17), auto_unbox = TRUE, na = "null", dataframe = "columns"),
           "tests/against_r/reference/competing_risks.json")
