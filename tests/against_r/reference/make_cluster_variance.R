# Makes reference/cluster_variance.json. Run from the root of the repository: Rscript tests/against_r/reference/make_cluster_variance.R
suppressMessages({library(jsonlite); library(clubSandwich)})
w <- read.csv("../shared/data/whas500.csv")
i <- seq_len(nrow(w)); w$site <- (i * i + 3 * i) %% 23 + (w$age > 75) * (i %% 3)   # unequal clusters, related to age
w$arm <- as.integer(w$site %% 3 == 0)                                     # constant within a cluster: leverage is high
w$alone <- as.integer(w$site == max(w$site))                              # one cluster alone determines it
w$pw <- round(0.25 + (w$age %% 7) / 3 + (w$hr %% 5) / 7, 6)
answer <- function(fit, V, sets) {
  test <- coef_test(fit, V, test = "Satterthwaite")
  contrast <- Wald_test(fit, constraints = matrix(sets$contrast, 1), vcov = V, test = "HTZ")
  joint <- Wald_test(fit, constraints = constrain_zero(sets$joint), vcov = V, test = "HTZ")
  list(coefficients = unname(coef(fit)), covariance = unname(as.matrix(V)), df = test$df_Satt,
       contrast_df = contrast$df_denom, contrast_F = contrast$Fstat, joint_F = joint$Fstat, joint_df = joint$df_denom,
       joint_p = joint$p_val)
}
# least squares
lin <- lm(sysbp ~ age + arm + hr + factor(mitype), w)
sets <- list(contrast = c(0, 1, 1, 0, 0), joint = 2:5)
linear <- answer(lin, vcovCR(lin, cluster = w$site, type = "CR2"), sets)
full <- lm(sysbp ~ age + alone + hr, w)
full_leverage <- answer(full, vcovCR(full, cluster = w$site, type = "CR2"), list(contrast = c(0, 1, 0, 1), joint = c(2, 4)))
single <- lm(sysbp ~ age + hr, w[1:30, ])
singles <- answer(single, vcovCR(single, cluster = 1:30, type = "CR2"), list(contrast = c(0, 1, 1), joint = 2:3))
# logistic: clubSandwich of the weighted least squares of the last iteration, and of the glm itself
control <- glm.control(epsilon = 1e-14, maxit = 100)
logit <- glm(fstat ~ age + arm + hr + factor(mitype), binomial, w, control = control)
logit <- update(logit, start = coef(logit))
standardized <- function(fit, d) {
  mu <- fitted(fit); v <- mu * (1 - mu)
  X <- model.matrix(fit) * sqrt(v)
  y <- drop(X %*% coef(fit)) + (fit$y - mu) / sqrt(v)
  lm(y ~ X - 1)
}
last <- standardized(logit, w)
logistic <- answer(last, vcovCR(last, cluster = w$site, type = "CR2"), sets)
logistic$glm_covariance <- unname(as.matrix(vcovCR(logit, cluster = w$site, type = "CR2")))
logistic$glm_df <- coef_test(logit, vcovCR(logit, cluster = w$site, type = "CR2"), test = "Satterthwaite")$df_Satt
out <- list(
  versions = list(R = R.version.string, clubSandwich = as.character(packageVersion("clubSandwich"))),
  site = w$site, linear = linear, full_leverage = full_leverage, singles = singles, logistic = logistic
)
writeLines(toJSON(out, digits = 17, auto_unbox = TRUE, pretty = FALSE), "tests/against_r/reference/cluster_variance.json")
