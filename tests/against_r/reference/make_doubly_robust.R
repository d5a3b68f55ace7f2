# Augmented weighting and targeted maximum likelihood on ../shared/data/nhefs.csv with glm() and lm() of base R. The fluctuation is
# a quasibinomial glm with offset and weights. Run in the repository root.
suppressMessages(library(jsonlite))
d <- read.csv("../shared/data/nhefs.csv"); d <- d[!is.na(d$wt82), ]
f <- ~ sex + race + age + I(age^2) + as.factor(education) + smokeintensity + I(smokeintensity^2) + smokeyrs + I(smokeyrs^2) +
  as.factor(exercise) + as.factor(active) + wt71 + I(wt71^2)
tight <- glm.control(epsilon = 1e-15, maxit = 100)
a <- d$qsmk; e <- fitted(glm(update(f, qsmk ~ .), binomial, d, control = tight))
one <- function(y, binary) {
  d$y <- y
  fit <- function(k) if (binary) predict(glm(update(f, y ~ .), binomial, d[a == k, ], control = tight), d, type = "response") else
    predict(lm(update(f, y ~ .), d[a == k, ]), d)
  m1 <- fit(1); m0 <- fit(0); n <- length(y); p <- mean(a)
  se <- function(i) apply(i, 2, function(x) sqrt(sum(x^2) / (n * (n - 1))))
  out <- function(q1, q0, y) {
    ate <- cbind(q1 + a / e * (y - q1), q0 + (1 - a) / (1 - e) * (y - q0)); mu <- colMeans(ate); i <- sweep(ate, 2, mu)
    o <- e / (1 - e); att <- cbind(a * y, a * q0 + (1 - a) * o * (y - q0)); nu <- colSums(att) / sum(a); j <- (att - outer(a, nu)) / p
    v <- (1 - e) / e; atc <- cbind((1 - a) * q1 + a * v * (y - q1), (1 - a) * y); xi <- colSums(atc) / sum(1 - a)
    h <- (atc - outer(1 - a, xi)) / (1 - p)
    list(atc = xi, atc_error = se(cbind(h, h[, 1] - h[, 2])), ate = mu, ate_error = se(cbind(i, i[, 1] - i[, 2])), att = nu, att_error = se(cbind(j, j[, 1] - j[, 2])))
  }
  lo <- if (binary) 0 else min(y); hi <- if (binary) 1 else max(y)
  u <- (y - lo) / (hi - lo)
  move <- function(m, k, w) {
    q <- qlogis(pmin(pmax((m - lo) / (hi - lo), 0.0005), 0.9995))
    g <- suppressWarnings(glm(u ~ 1, quasibinomial, offset = q, weights = w, subset = a == k, data = data.frame(u, q, w, a), control = tight))
    list(eps = unname(coef(g)), q = plogis(q + coef(g)))
  }
  whom <- c("ate", "att", "atc"); errors <- paste0(whom, "_error")
  back <- function(x) { x[whom] <- lapply(x[whom], function(v) lo + (hi - lo) * v)
    x[errors] <- lapply(x[errors], function(v) (hi - lo) * v); x }
  t1 <- move(m1, 1, 1 / e); t0 <- move(m0, 0, 1 / (1 - e)); s1 <- move(m1, 1, rep(1, n)); s0 <- move(m0, 0, e / (1 - e))
  r1 <- move(m1, 1, (1 - e) / e); r0 <- move(m0, 0, rep(1, n)); atc <- back(out(r1$q, r0$q, u))
  ate <- back(out(t1$q, t0$q, u)); att <- back(out(s1$q, s0$q, u))
  list(aipw = out(m1, m0, y), tmle = list(ate = ate$ate, ate_error = ate$ate_error, att = att$att, att_error = att$att_error,
    atc = atc$atc, atc_error = atc$atc_error, fluctuations = c(t1$eps, t0$eps)))
}
# Risks standardized over some rows from one model of both arms, with the influence of each row (Stefanski and Boos 2002).
standardized <- function(among) {
  fit <- glm(update(f, death ~ qsmk + .), binomial, d, x = TRUE, control = tight); X <- fit$x; mu <- fitted(fit)
  bread <- solve(crossprod(X * sqrt(mu * (1 - mu)))); score <- X * (d$death - mu)
  parts <- sapply(1:0, function(k) { Z <- X; Z[, "qsmk"] <- k; q <- plogis(drop(Z %*% coef(fit))); m <- mean(q[among])
    slope <- colMeans((Z * q * (1 - q))[among, ]); c(m, among * (q - m) / sum(among) + score %*% bread %*% slope) })
  m <- parts[1, ]; i <- parts[-1, ]; l <- i / outer(rep(1, nrow(i)), m * (1 - m))
  error <- function(x) sqrt(sum(x^2))
  list(risks = m, difference_error = error(i[, 1] - i[, 2]), odds_ratio = qlogis(m[1]) - qlogis(m[2]), odds_ratio_error = error(l[, 1] - l[, 2]))
}
write_json(list(versions = paste("R", getRversion()), weight = one(d$wt82_71, FALSE), death = one(d$death, TRUE),
  standardized = list(treated = standardized(a == 1), untreated = standardized(a == 0), all = standardized(a >= 0))),
  "tests/against_r/reference/doubly_robust.json", digits = 17, auto_unbox = TRUE, pretty = TRUE)
