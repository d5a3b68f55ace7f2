# -- doubly robust comparisons ---------------------------------------------------------------------------------------

# Two marginal means by augmented weighting, or by targeted maximum likelihood, of two groups: what each stands for, the ids
# that take them, the formulas (right sides) of the score and of the outcome in each group.
doubly_robust <- function(ids, d, y, group, treated, reference, score, outcome, target, bounds, tmle, level, cluster = NULL,
                          timed = NULL) {
  d$a. <- as.numeric(d[[group]] == treated)
  e <- fitted(glm(as.formula(paste("a. ~", score)), binomial, d, control = tight))
  if (!is.null(bounds)) e <- pmin(pmax(e, bounds[1]), bounds[2])
  binary <- is.logical(d[[y]])
  if (is.null(timed)) d$y. <- as.numeric(d[[y]]) else d <- event_by_time(d, y, timed, outcome)
  risks <- sapply(1:0, function(arm) {
    if (!is.null(timed)) return(d[[paste0("risk", arm, ".")]])
    own <- d[d$a. == arm, ]
    f <- as.formula(paste("y. ~", outcome))
    if (binary) predict(glm(f, binomial, own, control = tight), d, type = "response") else predict(lm(f, own), d)
  })
  member <- switch(target, all = rep(1, nrow(d)), treated = d$a., untreated = 1 - d$a.)
  weights <- switch(target, all = cbind(d$a. / e, (1 - d$a.) / (1 - e)), treated = cbind(d$a., (1 - d$a.) * e / (1 - e)),
                    untreated = cbind(d$a. * (1 - e) / e, 1 - d$a.))
  low <- if (binary || !tmle) 0 else min(d$y.)
  high <- if (binary || !tmle) 1 else max(d$y.)
  y <- (d$y. - low) / (high - low)
  if (tmle) for (k in 1:2) risks[, k] <- targeted((risks[, k] - low) / (high - low), y, weights[, k], d$a. == 2 - k)
  parts <- member * risks + weights * (y - risks)
  means <- colSums(parts) / sum(member)
  influence <- (high - low) * (parts - outer(member, means)) / mean(member)
  effect_of_means(ids, low + (high - low) * means, influence, binary || !is.null(timed), level, cluster)
}

# Predictions moved by an intercept on the logit scale until they agree with the weighted outcomes.
targeted <- function(predicted, y, weights, own) {
  x <- qlogis(pmin(pmax(predicted, 0.0005), 0.9995))
  fit <- suppressWarnings(glm(y ~ 1, quasibinomial, offset = x, weights = w, subset = own,
                              data = data.frame(y = y, x = x, w = weights, own = own), control = tight))
  plogis(x + coef(fit))
}

# Each mean, and their contrasts, with the variance of their influence functions.
effect_of_means <- function(ids, means, influence, risks, level, cluster) {
  n <- nrow(influence)
  number <- length(unique(cluster))
  V <- if (is.null(cluster)) crossprod(influence) / (n * (n - 1)) else
    number / (number - 1) * crossprod(rowsum(influence, cluster)) / n^2
  few <- !is.null(cluster) && number < too_few_clusters
  two_means(ids, means, if (few) V * NA else V, risks, level, if (!is.null(cluster) && number < few_clusters) number - 1 else Inf)
}

# Two means or risks, the treated first, and their contrasts, by the covariance of the two.
two_means <- function(ids, means, V, risks, level, df = Inf, complete = NULL) {
  from <- function(id, value, slope, natural = identity, tested = TRUE) {
    put(id, value, sqrt(drop(slope %*% V %*% slope)), level, natural, df, tested, complete)
  }
  logit <- means * (1 - means)
  for (k in 1:2) {
    own <- diag(2)[k, ]
    id <- ids[[c("treated", "reference")[k]]]
    if (risks) from(id, qlogis(means[k]), own / logit[k], plogis, FALSE) else from(id, means[k], own, tested = FALSE)
  }
  from(ids$difference, means[1] - means[2], c(1, -1))
  if (!risks) return(invisible(NULL))
  from(ids$ratio, log(means[1] / means[2]), c(1, -1) / means, exp)
  from(ids$odds, qlogis(means[1]) - qlogis(means[2]), c(1, -1) / logit, exp)
}

# The risk by a time under each group by Cox models, and what stands for the event of each patient, seen or not: it over the
# probability of being followed to it, with what the outcome model expects of the censored. Events precede censorings.
event_by_time <- function(d, event, timed, outcome) {
  at <- timed$at
  d$t. <- pmin(d[[timed$time]], at)
  d$event. <- as.numeric(d[[event]] & d[[timed$time]] <= at)
  d$censored. <- as.numeric(d$event. == 0 & d$t. < at)
  d$place. <- 2 * match(d$t., sort(unique(d$t.))) + 1 - d$event.
  close <- coxph.control(eps = 1e-11, iter.max = 100)
  for (arm in 1:0) {
    rows <- d[d$a. == arm, ]
    fit <- coxph(as.formula(paste("Surv(t., event.) ~", outcome)), rows, ties = "efron", control = close)
    base <- basehaz(fit, centered = FALSE)
    hazard <- function(s) c(0, base$hazard)[findInterval(s, base$time) + 1]
    d[[paste0("risk", arm, ".")]] <- 1 - exp(-hazard(at) * exp(predict(fit, d, type = "lp", reference = "zero")))
    right <- if (timed$censoring == "cox") outcome else "1"
    jumps <- censoring_jumps(rows, right, close)
    left <- hazard(at) - hazard(rows$t.[match(jumps$place, rows$place.)])
    relative <- exp(predict(fit, rows, type = "lp", reference = "zero"))
    d$y.[d$a. == arm] <- vapply(seq_len(nrow(rows)), function(i) {
      before <- jumps$place <= rows$place.[i]
      step <- jumps$jump[before] * jumps$relative[i]
      weight <- 1 / cumprod(1 - step)
      own <- rows$censored.[i] == 1 & jumps$place[before] == rows$place.[i]
      rows$event.[i] * tail(c(1, weight), 1) + sum((1 - exp(-left[before] * relative[i])) * weight * (own - step))
    }, 0)
  }
  d
}

censoring_jumps <- function(rows, right, close) {
  none <- list(place = numeric(), jump = numeric(), relative = rep(1, nrow(rows)))
  if (!any(rows$censored. == 1)) return(none)
  if (right == "1") {
    curve <- summary(survfit(Surv(place., censored.) ~ 1, rows), censored = FALSE)
    return(list(place = curve$time, jump = curve$n.event / curve$n.risk, relative = rep(1, nrow(rows))))
  }
  fit <- coxph(as.formula(paste("Surv(place., censored.) ~", right)), rows, ties = "breslow", control = close)
  base <- basehaz(fit, centered = FALSE)
  jump <- diff(c(0, base$hazard))
  list(place = base$time[jump > 0], jump = jump[jump > 0], relative = exp(predict(fit, rows, type = "lp", reference = "zero")))
}

