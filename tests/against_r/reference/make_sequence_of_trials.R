# Nested trials on ../shared/data/te_data_censored.csv by loops, with glm() of base R and the sandwich by patient written out.
# Run in the repository root.
suppressMessages(library(jsonlite))
d <- read.csv("../shared/data/te_data_censored.csv"); d <- d[order(d$id, d$period), ]
tight <- glm.control(epsilon = 1e-14, maxit = 100)
d$prev <- ave(d$treatment, d$id, FUN = function(x) c(0, head(x, -1)))
d$row <- seq_len(nrow(d))
expand <- function(pp) {
  out <- list(); risk <- rep(FALSE, nrow(d)); followed <- rep(FALSE, nrow(d))
  for (r in which(d$eligible == 1)) for (t in r:max(d$row[d$id == d$id[r]])) {
    followed[t] <- TRUE
    if (t > r && all(d$treatment[r:(t - 1)] == d$treatment[r])) risk[t] <- TRUE
    if (pp && d$treatment[t] != d$treatment[r]) break
    out[[length(out) + 1]] <- c(r, t)
  }
  list(rows = do.call(rbind, out), risk = risk, followed = followed)
}
ratio <- function(y, rows, num, den) {
  out <- rep(1, nrow(d))
  for (a in 0:1) {
    use <- which(rows & d$prev == a)
    p <- function(f) fitted(glm(f, binomial, data.frame(y = y, d)[use, ], control = tight))
    out[use] <- p(num) / p(den)
  }
  out
}
model <- function(e, w, weighted) {
  x <- d[e[, 1], ]; x$a <- x$treatment; x$k <- e[, 2] - e[, 1]; x$m <- x$period; x$y <- d$outcome[e[, 2]]; x$w <- w
  f <- suppressWarnings(glm(y ~ a + x1 + x2 + k + I(k^2) + m, binomial, x, weights = w, control = tight))
  X <- model.matrix(f); p <- fitted(f); B <- solve(t(X) %*% (X * (w * p * (1 - p)))); U <- rowsum(X * (w * (x$y - p)), x$id)
  G <- nrow(U); V <- B %*% (t(U) %*% U) %*% B * G / (G - 1)
  first <- x[x$k == 0, ]
  risk <- sapply(1:0, function(a) { s <- rep(1, nrow(first)); for (k in 0:4) { z <- first; z$a <- a; z$k <- k
    s <- s * (1 - predict(f, z, type = "response")) }; mean(1 - s) })
  list(rows = nrow(x), trials = length(unique(x$m)), coefficients = unname(coef(f)), errors = unname(sqrt(diag(V))), risks = risk,
       weight_mean = mean(w), weight_max = max(w))
}
i <- expand(FALSE); itt <- model(i$rows, rep(1, nrow(i$rows)))
c <- ratio(as.integer(d$censored == 0), i$followed, y ~ x2, y ~ x1 + x2 + x3)
wc <- apply(i$rows, 1, function(e) if (e[2] > e[1]) prod(c[e[1]:(e[2] - 1)]) else 1); ittw <- model(i$rows, wc)
q <- expand(TRUE); s <- ratio(as.integer(d$treatment == d$prev), q$risk, y ~ x4, y ~ x1 + x2 + x4)
wp <- apply(q$rows, 1, function(e) if (e[2] > e[1]) prod(s[(e[1] + 1):e[2]]) else 1); pp <- list(rows = nrow(q$rows), weight_mean = mean(wp), weight_max = max(wp),
  events = as.vector(tapply(d$outcome[q$rows[, 2]], d$treatment[q$rows[, 1]], sum)))
write_json(list(versions = paste("R", getRversion()), itt = itt, censoring = ittw, per_protocol = pp),
  "tests/against_r/reference/sequence_of_trials.json", digits = 17, auto_unbox = TRUE, pretty = TRUE)
