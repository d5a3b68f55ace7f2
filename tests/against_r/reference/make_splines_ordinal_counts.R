# Makes reference/splines_ordinal_counts.json.
# Run from the root of the repository: Rscript tests/against_r/reference/make_splines_ordinal_counts.R
suppressMessages({library(jsonlite); library(Hmisc); library(rms); library(MASS); library(sandwich); library(survival); library(ordinal)})
options(warn = -1)
whas <- read.csv("../shared/data/whas500.csv")
one <- function(fit) list(names = names(coef(fit)), coefficients = unname(coef(fit)), covariance = unname(vcov(fit)),
                          log_likelihood = as.numeric(logLik(fit)))

# splines: knots and basis, with more and with fewer than 100 rows; curves, tests of nonlinearity
grid <- c(25, 40, 47.5, 60, 72, 81, 90, 101)
basis <- lapply(3:8, function(k) {
  knots <- rcspline.eval(whas$age, nk = k, knots.only = TRUE, fractied = 0)
  small <- rcspline.eval(whas$bmi[1:60], nk = k, knots.only = TRUE, fractied = 0)
  list(count = k, knots = as.numeric(knots), small = as.numeric(small),
       basis = unname(rcspline.eval(grid, knots = knots, inclx = TRUE)))
})
dd <- datadist(whas); dd$limits["Adjust to", "age"] <- 60; options(datadist = "dd")
curve <- function(fit) {
  p <- contrast(fit, list(age = grid), list(age = 60))
  a <- anova(fit)
  list(coefficients = unname(coef(fit)), contrast = as.numeric(p$Contrast), se = as.numeric(p$SE),
       overall = unname(a["age", 1:3]), nonlinearity = unname(a[" Nonlinear", 1:3]))
}
logistic <- lrm(fstat ~ rcs(age, 4) + gender + sho, whas, eps = 1e-12, maxit = 50)
cox <- cph(Surv(lenfol, fstat) ~ rcs(age, 5) + gender + sho, whas, eps = 1e-12, iter.max = 50)
product <- glm(fstat ~ rcs(age, 4) * gender + sho, binomial, whas, control = glm.control(epsilon = 1e-14, maxit = 100))

# ordinal
set.seed(11)
n <- 300
o <- data.frame(x = round(rnorm(n, 60, 12), 3), g = sample(c("a", "b", "c"), n, TRUE), z = round(rexp(n), 4),
                w = sample(1:3, n, TRUE), site = sample(1:45, n, TRUE))
latent <- 0.03 * o$x + 0.8 * (o$g == "b") - 0.5 * o$z + rlogis(n)
o$level <- cut(latent, quantile(latent, c(0, 0.3, 0.65, 0.85, 1)), labels = c("none", "mild", "moderate", "severe"), include.lowest = TRUE)
control <- clm.control(gradTol = 1e-12, maxIter = 200)
main <- clm(level ~ x + g + z, data = o, control = control)
weighted <- clm(level ~ x + g + z, data = o, weights = w, control = control)
probability <- clm(level ~ x + g + z, data = o, weights = w / 2.5, control = control)
polr_fit <- polr(level ~ x + g + z, o, Hess = TRUE, control = list(reltol = 1e-15, maxit = 1000))
free <- clm(level ~ 1, nominal = ~ x + g + z, data = o, control = control)
ci <- confint(main, type = "profile")
# scores of MASS::polr with the analytic covariance of ordinal::clm as bread: polr's own Hessian is a finite difference (1e-3)
turn <- c(3 + seq_len(4), 1:3)
robust <- function(cluster, factor) {
  B <- vcov(main)[turn, turn]; unname(B %*% crossprod(rowsum(estfun(polr_fit), cluster)) %*% B) * factor
}
G <- length(unique(o$site))
lrm_fit <- lrm(level ~ x + g + z, o, eps = 1e-12, maxit = 50)

# counts
m <- 350
p <- data.frame(x = round(rnorm(m), 4), g = sample(c("a", "b", "c"), m, TRUE), time = round(runif(m, 0.4, 3), 4),
                w = sample(1:3, m, TRUE), site = sample(1:50, m, TRUE))
mu <- p$time * exp(0.4 + 0.3 * p$x + 0.5 * (p$g == "b"))
p$y <- rnbinom(m, mu = mu, size = 1.4)
p$b <- rbinom(m, 1, plogis(-1 + 0.5 * p$x + 0.4 * (p$g == "c")))
gc <- glm.control(epsilon = 1e-14, maxit = 200)
again <- function(fit) update(fit, start = coef(fit))
poisson_fit <- again(glm(y ~ x + g + offset(log(time)), poisson, p, control = gc))
poisson_weighted <- again(glm(y ~ x + g + offset(log(time)), poisson, p, weights = w, control = gc))
zou <- again(glm(b ~ x + g, poisson, p, control = gc))
nb <- function(...) glm.nb(..., control = gc)
tight <- function(fit, data, w = rep(1, nrow(data))) {  # theta to the last digit, where glm.nb stops at 1e-4 of a step
  f <- fit; data$.w <- w
  theta <- f$theta
  for (i in 1:50) {
    g <- glm(formula(f), negative.binomial(theta), data, weights = .w, control = gc)
    new <- as.numeric(theta.ml(g$y, g$fitted.values, sum(w), w, limit = 200, eps = 1e-13))
    done <- abs(new - theta) < 1e-13 * theta; theta <- new
    if (done) break
  }
  y <- g$y; mu <- g$fitted.values; th <- theta
  info <- sum(w * (-trigamma(th + y) + trigamma(th) - 1 / th + 2 / (mu + th) - (y + th) / (mu + th)^2))
  X <- model.matrix(g); working <- w * mu / (1 + mu / th)
  bread <- solve(crossprod(X, X * working))
  scores <- X * (w * (y - mu) / (1 + mu / th))
  list(names = names(coef(g)), coefficients = unname(coef(g)), covariance = unname(bread), theta = th, theta_se = 1 / sqrt(info),
       log_likelihood = sum(w * dnbinom(y, size = th, mu = mu, log = TRUE)), sandwich = unname(bread %*% crossprod(scores) %*% bread),
       pearson = sum(w * (y - mu)^2 / (mu + mu^2 / th)) / (length(y) - ncol(X)))
}
p$ones <- rep(1, m)
nb_fit <- glm.nb(y ~ x + g + offset(log(time)), p)
nb_weighted <- glm.nb(y ~ x + g + offset(log(time)), p, weights = w)
quine_fit <- glm.nb(Days ~ Eth + Sex + Age + Lrn, quine)

# exact
strata <- UCBAdmissions[, , c(1, 3, 6)]
small <- array(c(4, 1, 2, 5, 3, 2, 1, 6, 2, 2, 0, 3), c(2, 2, 3))
exact_strata <- mantelhaen.test(small, exact = TRUE)
fisher_cases <- lapply(list(c(7, 3, 2, 7), c(10, 0, 2, 7), c(3, 9, 1, 15), c(0, 6, 5, 4)), function(v) {
  f <- fisher.test(matrix(v, 2)); list(table = v, estimate = ifelse(is.finite(f$estimate), unname(f$estimate), 1e300), interval = ifelse(is.finite(f$conf.int), f$conf.int, 1e300))
})
out <- list(
  versions = as.list(sapply(c("Hmisc", "rms", "MASS", "sandwich", "survival", "ordinal"), function(x) as.character(packageVersion(x)))),
  r = R.version.string, grid = grid,
  spline = list(basis = basis, logistic = curve(logistic), cox = curve(cox), product = one(product),
                cph = unname(coef(coxph(Surv(lenfol, fstat) ~ rcs(age, 5) + gender + sho, whas, control = coxph.control(eps = 1e-13, iter.max = 50))))),
  ordinal = list(data = o, main = c(one(main), list(profile = unname(ci), robust = robust(seq_len(n), 1))),
    weighted = one(weighted), probability = one(probability), clustered = robust(o$site, G / (G - 1)),
    polr = list(names = c(names(coef(polr_fit)), names(polr_fit$zeta)), coefficients = unname(c(coef(polr_fit), polr_fit$zeta))),
    lrm = list(names = names(coef(lrm_fit)), coefficients = unname(coef(lrm_fit))),
    likelihood_ratio = c(2 * (as.numeric(logLik(free)) - as.numeric(logLik(main))), length(coef(free)) - length(coef(main)))),
  counts = list(data = p,
    poisson = c(one(poisson_fit), list(robust = unname(sandwich(poisson_fit)), clustered = unname(vcovCL(poisson_fit, p$site, type = "HC0")),
      pearson = sum(residuals(poisson_fit, "pearson")^2) / df.residual(poisson_fit))),
    weighted = one(poisson_weighted), zou = c(one(zou), list(robust = unname(sandwich(zou)))),
    negative = tight(nb_fit, p), negative_weighted = tight(nb_weighted, p, p$w),
    glm_nb = list(coefficients = unname(coef(nb_fit)), theta = nb_fit$theta, se = nb_fit$SE.theta, covariance = unname(vcov(nb_fit))),
    quine = list(data = quine, fit = tight(quine_fit, quine))),
  exact = list(fisher = fisher_cases, strata = list(table = small, estimate = unname(exact_strata$estimate), interval = as.numeric(exact_strata$conf.int)))
)
writeLines(toJSON(out, digits = I(17), auto_unbox = TRUE, na = "null", dataframe = "columns"),
           "tests/against_r/reference/splines_ordinal_counts.json")
