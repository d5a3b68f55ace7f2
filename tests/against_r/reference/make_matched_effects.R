# Effects in matched patients by g-computation with a variance by matched set (glm, lm, sandwich::vcovCL, the delta method by
# hand: what marginaleffects::avg_comparisons(vcov = ~subclass, wts = "weights") does), on MatchIt 4.7.2's pairs of
# ../shared/data/lalonde.csv; and weighted means of ../shared/data/nhefs.csv with the score's equations stacked (estfun, bread).
# Makes reference/matched_effects.json. Run in the repository root.
suppressMessages({library(jsonlite); library(sandwich)})
tight <- glm.control(epsilon = 1e-15, maxit = 100)
d <- read.csv("../shared/data/lalonde.csv"); d$high <- as.integer(d$re78 > 5000)
pairs <- function(name) {
  p <- read.csv(paste0("../shared/reference/observational/lalonde_", name, "_pairs.csv")); p <- p[!is.na(p$control), ]
  if (is.character(p$treated)) { p$treated <- match(p$treated, d$id); p$control <- match(p$control, d$id) }
  k <- table(p$treated); w <- 1 / as.numeric(k[as.character(p$treated)]); u <- unique(p$treated)
  data.frame(d[c(u, p$control), ], set = c(u, p$treated), w = c(rep(1, length(u)), w * nrow(p) / sum(w)))
}
effect <- function(m, y, rhs, family) {
  f <- reformulate(rhs, y)
  fit <- if (family == "binomial") suppressWarnings(glm(f, binomial, m, weights = w, control = tight)) else lm(f, m, weights = w)
  V <- if (family == "binomial") vcovCL(fit, cluster = m$set, type = "HC0") else vcovCL(fit, cluster = m$set, type = "HC0")
  t <- m[m$treat == 1, ]; terms <- delete.response(terms(fit))
  side <- function(a) { t$treat <- a; X <- model.matrix(terms, t, xlev = fit$xlevels); e <- as.vector(X %*% coef(fit))
    mu <- if (family == "binomial") plogis(e) else e; s <- if (family == "binomial") mu * (1 - mu) else rep(1, length(e))
    list(mean = mean(mu), slope = colMeans(X * s)) }
  a <- side(1); b <- side(0); J <- rbind(a$slope, b$slope)
  list(means = c(a$mean, b$mean), covariance = J %*% V %*% t(J))
}
cov <- c("age", "educ", "race", "married", "nodegree", "re74", "re75")
each <- c("treat", cov, paste0("treat:", cov))
matched <- lapply(list(nn = "nn", logit = "nn_logitcal02", two = "ratio2"), function(name) { m <- pairs(name)
  list(high = effect(m, "high", each, "binomial"), high_main = effect(m, "high", c("treat", cov), "binomial"),
       re78 = effect(m, "re78", each, "gaussian"), plain = effect(m, "high", "treat", "binomial")) })
h <- read.csv("../shared/data/nhefs.csv"); h <- h[!is.na(h$wt82), ]
f <- qsmk ~ sex + race + age + I(age^2) + as.factor(education) + smokeintensity + I(smokeintensity^2) + smokeyrs + I(smokeyrs^2) +
  as.factor(exercise) + as.factor(active) + wt71 + I(wt71^2)
g <- glm(f, binomial, h, control = tight); e <- fitted(g); a <- h$qsmk; y <- h$wt82_71; X <- model.matrix(g); n <- nrow(h)
weighted <- lapply(list(
  ATE = list(a / e + (1 - a) / (1 - e), -a * (1 - e) / e + (1 - a) * e / (1 - e)),
  ATT = list(a + (1 - a) * e / (1 - e), (1 - a) * e / (1 - e)),
  ATO = list(a * (1 - e) + (1 - a) * e, (1 - 2 * a) * e * (1 - e))), function(one) {
    w <- one[[1]]; slope <- one[[2]]; score <- estfun(g) %*% bread(g) / n
    part <- function(k) { mu <- weighted.mean(y[a == k], w[a == k]); r <- (a == k) * (y - mu); W <- sum(w[a == k])
      list(mu, (w * r + score %*% colSums(X * slope * r)) / W) }
    t <- part(1); u <- part(0); I <- cbind(t[[2]], u[[2]])
    list(means = c(t[[1]], u[[1]]), covariance = crossprod(I)) })
write_json(list(versions = paste("R", getRversion(), "sandwich", packageVersion("sandwich")), matched = matched, nhefs = weighted),
  "tests/against_r/reference/matched_effects.json", digits = I(17), auto_unbox = TRUE, pretty = TRUE)
